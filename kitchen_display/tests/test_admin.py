"""Managers pair, watch and revoke screens, and say which station makes what."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kitchen_display import hints
from kitchen_display.board import read_board
from kitchen_display.models import PairingRequest, Screen, Sighting, Station, TicketNumber
from kitchen_display.tests import factories as make
from orders import clock
from orders.tests import factories as orders

pytestmark = pytest.mark.django_db
SCREENS = "admin:kitchen_display_screen"
STATIONS = "admin:kitchen_display_station"


@pytest.fixture
def manager(client):
    client.force_login(User.objects.create_superuser("anna"))
    return client


def form(**values):
    return {"name": "Wall", "kitchen": "main", "kind": "kitchen", "text_scale": 100, "columns": 0} | values


def test_a_screen_is_made_and_paired_by_the_code_that_it_shows(manager):
    orders.kitchen()
    browser = Client()
    browser.get("/display/")
    code = PairingRequest.objects.get().code
    answer = manager.post(reverse(f"{SCREENS}_add"), form(code=code.lower()), follow=True)
    assert "in a moment" in answer.content.decode()
    assert browser.get("/display/pair/status").status_code == 200
    assert Screen.objects.get().paired_at
    page = manager.get(reverse(f"{SCREENS}_changelist")).content.decode()
    assert "online" in page


def test_a_wrong_code_is_refused_and_pairs_nothing(manager):
    orders.kitchen()
    answer = manager.post(reverse(f"{SCREENS}_add"), form(code="AAAAAA"))
    assert answer.status_code == 200 and "No browser shows this code" in answer.content.decode()
    assert "AAAAAA" in answer.content.decode()  # what was typed stays in the form
    assert not Screen.objects.exists()


def test_the_page_of_a_screen_tells_its_state_and_times_in_words(manager):
    screen = make.screen(of=orders.kitchen(time_zone="Europe/Helsinki"))
    make.paired(screen)
    page = manager.get(reverse(f"{SCREENS}_change", args=[screen.pk])).content.decode()
    assert "online" in page and "(&#x27;online" not in page
    assert re.search(r"\d\d:\d\d EES?T", page)
    assert "last seen" not in manager.get(reverse(f"{SCREENS}_add")).content.decode().lower()


def test_a_link_is_shown_once_and_pairs(manager):
    screen = make.screen()
    address = reverse(f"{SCREENS}_pairing_link", args=[screen.pk])
    asked = manager.get(address).content.decode()
    assert "Make a pairing link for this screen?" in asked and "/display/pair/" not in asked
    screen.refresh_from_db()
    assert screen.link_digest is None
    page = manager.post(address)
    link = re.search(r"http://testserver(/display/pair/[\w-]+)", page.content.decode())[1]
    assert "no-store" in page["Cache-Control"]
    assert Client().post(link).status_code == 303
    assert manager.get(reverse(f"{SCREENS}_pairing_link", args=[0])).status_code == 302


def test_revoking_switches_a_screen_off(manager):
    screen = make.screen()
    browser = make.paired(screen)
    manager.post(
        reverse(f"{SCREENS}_changelist"), {"action": "revoke_screens", "_selected_action": [screen.pk]}
    )
    assert browser.get("/display/").status_code == 403
    assert "revoked" in manager.get(reverse(f"{SCREENS}_changelist")).content.decode()


def test_a_preview_shows_what_the_screen_shows_and_changes_nothing(manager):
    grill = make.station("grill", "P0")
    wall, board = make.screen("Grill", station=grill), make.screen("Board", kind="pickup")
    order = make.order(channel_display_id="#417", note="No salt")
    pages = {each.name: manager.get(reverse(f"{SCREENS}_preview", args=[each.pk])) for each in (wall, board)}

    assert [page.status_code for page in pages.values()] == [200, 200]
    shown = {name: page.content.decode() for name, page in pages.items()}
    assert "No salt" in shown["Grill"] and "inert" in shown["Grill"]
    assert "#417" in shown["Board"] and "No salt" not in shown["Board"]
    assert not any("<script" in page for page in shown.values())
    for page in shown.values():  # each sign is there
        assert set(re.findall(r'href="#(i-[\w-]+)"', page)) <= set(re.findall(r'<symbol id="([\w-]+)"', page))
    assert not TicketNumber.objects.exists() and not Sighting.objects.filter(order_id=order.pk).exists()


def test_a_preview_is_for_who_may_see_what_guests_wrote(client):
    wall = make.screen("Grill")
    user = User.objects.create_user("bert", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_screen", "work_everywhere"]))
    client.force_login(user)

    assert client.get(reverse(f"{SCREENS}_preview", args=[wall.pk])).status_code == 403
    assert "/preview/" not in client.get(reverse(f"{SCREENS}_change", args=[wall.pk])).content.decode()


def test_a_station_of_another_kitchen_is_refused(manager):
    orders.kitchen()
    other = make.station("grill", of=orders.kitchen("other"))
    answer = manager.post(reverse(f"{SCREENS}_add"), form(station=other.pk))
    assert answer.status_code == 200 and "of another kitchen" in answer.content.decode()
    assert not Screen.objects.exists()


def test_screens_get_a_hint_when_one_is_moved_or_deleted(manager, monkeypatch):
    """The page of one that moved to another kitchen still listens to the one before."""
    screen = make.screen()
    orders.kitchen("harju")
    sent = []
    monkeypatch.setattr(hints, "publish_on_commit", lambda *hint: sent.append(hint))
    manager.post(reverse(f"{SCREENS}_change", args=[screen.pk]), form(kitchen="harju"))
    assert sorted(sent) == [("harju", "screens"), ("main", "screens")]
    sent.clear()
    chosen = {"action": "delete_selected", "_selected_action": [screen.pk], "post": "yes"}
    manager.post(reverse(f"{SCREENS}_changelist"), chosen)
    assert sent == [("harju", "screens")] and not Screen.objects.exists()


def test_lists_cost_the_same_whatever_they_hold(manager):
    def cost(name):
        with CaptureQueriesContext(connection) as asked:
            assert manager.get(reverse(f"{name}_changelist")).status_code == 200
        return len(asked)

    first = make.station("grill", "GR")
    make.screen("a", station=first)
    before = cost(SCREENS), cost(STATIONS)
    for n in range(8):
        make.screen(f"s{n}", station=make.station(f"st{n}", f"P{n}"))
    assert (cost(SCREENS), cost(STATIONS)) == before


def test_rules_are_edited_with_the_station_and_count_at_once(manager):
    orders.kitchen()
    make.order("GR1", "SU1")
    rules = {
        "rules-TOTAL_FORMS": 1, "rules-INITIAL_FORMS": 0, "rules-MIN_NUM_FORMS": 0, "rules-MAX_NUM_FORMS": 1000,
        "rules-0-plu": "GR", "rules-0-is_prefix": "on",
    }  # fmt: skip
    station = {"kitchen": "main", "name": "Grill", "slug": "grill"}
    assert manager.post(reverse(f"{STATIONS}_add"), {**station, **rules}).status_code == 302
    elsewhere = make.screen(station=make.station("sushi"))
    (ticket,) = read_board(elsewhere, clock.now()).tickets
    assert [item.plu for item in ticket.mine] == ["SU1"]


def test_the_station_page_shows_where_recent_products_go(manager):
    grill = make.station("grill", "GR")
    make.station("sushi", "SU", exact=("GR9",))
    make.order("GR1", "GR9", "SU1", "COLA~2")
    page = manager.get(reverse(f"{STATIONS}_change", args=[grill.pk])).content.decode()
    rows = dict(re.findall(r'data-plu="([^"]+)" data-score="(\d+)"', page))
    assert rows == {"GR1": "0", "GR9": "1000", "SU1": "2", "COLA": "0"}
    assert 'data-exact="1000"' in page
    assert "admin-stations.js" in page


def test_a_station_with_screens_is_not_deleted(manager):
    station = make.station("grill")
    make.screen(station=station)
    manager.post(reverse(f"{STATIONS}_delete", args=[station.pk]), {"post": "yes"})
    assert Station.objects.exists()
