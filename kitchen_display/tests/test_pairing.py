"""How a browser becomes a screen, and how it ceases to be one."""

import io
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from kitchen_display import hints, pairing
from kitchen_display.models import PairingRequest, Screen, screens
from kitchen_display.tests import factories as make
from kitchen_display.views.access import SEEN_EVERY
from orders.tests import factories as orders

pytestmark = pytest.mark.django_db


def browser():
    return Client(headers={"accept": "text/html"})


def code_of(client, path="/display/"):
    page = client.get(path)
    assert page.status_code == 200
    code = PairingRequest.objects.latest("created_at").code
    assert code in page.content.decode()
    return code


def test_an_unpaired_browser_shows_a_code_and_nothing_else():
    order = make.order(channel_display_id="#SECRET")
    client = browser()
    code = code_of(client)
    assert len(code) == 6 and set(code) <= set(pairing.ALPHABET)
    assert "#SECRET" not in client.get("/display/").content.decode()
    assert code_of(client) == code  # the same after a reload
    for path in ("board", "paper", "recalls"):
        answer = client.get(f"/display/{path}", headers=make.SCRIPT)
        assert answer.status_code == 403 and "#SECRET" not in answer.content.decode()
    for path in ("bump", "recall", "undo", "acknowledge", "seen", "settings"):
        assert client.post(f"/display/{path}", {"order": order.id}).status_code == 403


def test_a_manager_enters_the_code_and_the_browser_is_paired():
    client, screen = browser(), make.screen("Grill")
    code = code_of(client)
    assert client.get("/display/pair/status").status_code == 204
    pairing.enter_code(f" {code[:3].lower()}-{code[3:]}", screen)
    answer = client.get("/display/pair/status")
    assert answer.status_code == 200 and answer.content == b"/display/"
    assert "Grill" in client.get("/display/").content.decode()
    assert client.get("/display/board", headers=make.SCRIPT).status_code == 200
    assert not PairingRequest.objects.exists()


def test_without_javascript_the_page_itself_notices():
    client, screen = browser(), make.screen()
    pairing.enter_code(code_of(client), screen)
    assert client.get("/display/").status_code == 303
    assert client.get("/display/board").status_code == 200


def test_a_code_works_once_and_ends():
    client, screen = browser(), make.screen()
    code = code_of(client)
    pairing.enter_code(code, screen)
    with pytest.raises(pairing.PairingRefused):
        pairing.enter_code(code, screen)
    other = browser()
    late = code_of(other)
    PairingRequest.objects.update(created_at=timezone.now() - pairing.CODE_LIFETIME - timedelta(seconds=1))
    with pytest.raises(pairing.PairingRefused):
        pairing.enter_code(late, screen)
    assert other.get("/display/pair/status").status_code == 410
    assert code_of(other) != late


def test_many_waiting_browsers_of_one_network_keep_out_nobody_else(monkeypatch):
    monkeypatch.setattr(pairing, "MOST_FROM_ADDRESS", 3)
    for _ in range(3):
        code_of(browser())
    late = browser().get("/display/")
    assert "Too many browsers of your network" in late.content.decode()
    assert PairingRequest.objects.count() == 3
    assert "Too many browsers" in browser().get("/pickup/").content.decode()

    for address in ("192.0.2.9", "2001:db8::1"):
        code_of(Client(headers={"accept": "text/html"}, REMOTE_ADDR=address))


def test_an_ipv6_customer_is_one_network_however_many_addresses(monkeypatch):
    monkeypatch.setattr(pairing, "MOST_FROM_ADDRESS", 3)
    pages = [Client(REMOTE_ADDR=f"2001:db8:0:1::{n}").get("/display/").content.decode() for n in range(1, 5)]
    assert ["Too many browsers" in page for page in pages] == [False, False, False, True]
    assert set(PairingRequest.objects.values_list("network", flat=True)) == {"2001:db8:0:1::/64"}


def test_somebody_elses_code_pairs_nobody_but_the_browser_that_shows_it():
    shown, other, screen = browser(), browser(), make.screen()
    code = code_of(shown)
    code_of(other)
    pairing.enter_code(code, screen)
    assert other.get("/display/pair/status").status_code == 204
    assert shown.get("/display/pair/status").status_code == 200


def test_a_link_works_once():
    screen = make.screen()
    link = pairing.make_link(screen)
    first, second = browser(), browser()
    answer = first.post(link)
    assert answer.status_code == 303 and answer["Location"] == "/display/"
    cookie = first.cookies["huuva_screen"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/display/"
    for late in (second.get(link), second.post(link)):
        assert late.status_code == 410 and "has been used" in late.content.decode()
    assert second.get("/display/board").status_code == 403
    assert first.get(link).status_code == 303  # in the paired browser it leads to the board
    assert first.get("/display/board").status_code == 200


def test_an_old_link_opens_nothing():
    screen = make.screen()
    link = pairing.make_link(screen)
    Screen.objects.update(link_expires_at=timezone.now() - timedelta(seconds=1))
    for path in (link, "/display/pair/no-such-link"):
        assert browser().get(path).status_code == browser().post(path).status_code == 410


def test_who_only_looks_at_a_link_does_not_use_it_up():
    screen = make.screen("Grill")
    link = pairing.make_link(screen)
    for _ in range(3):
        visitor = browser()
        page = visitor.get(link)
        assert page.status_code == 200 and "data-open" in page.content.decode()
        assert "huuva_screen" not in visitor.cookies
    screen.refresh_from_db()
    assert screen.paired_at is None and screen.link_digest
    assert browser().post(link)["Location"] == "/display/"


@pytest.fixture
def long_running(monkeypatch):
    """This process has been here for an hour."""
    monkeypatch.setattr(screens, "LISTENING_SINCE", timezone.now() - timedelta(hours=1))


def test_a_new_link_leaves_the_present_browser_paired_until_it_is_used(long_running):
    screen = make.screen()
    old = make.paired(screen)
    link = pairing.make_link(screen)
    assert old.get("/display/board").status_code == 200
    Screen.objects.update(last_seen_at=timezone.now() - timedelta(minutes=3))  # switched off
    assert "data-open" in browser().get(link).content.decode()  # nobody to ask
    assert browser().post(link).status_code == 303
    assert old.get("/display/board").status_code == 403


def test_a_screen_in_use_is_moved_to_another_browser_only_on_purpose():
    screen = make.screen()
    old, other = make.paired(screen), browser()
    link = pairing.make_link(screen)
    page = other.get(link)
    assert page.status_code == 200 and "Move this screen here" in page.content.decode()
    assert "data-open" not in page.content.decode()
    assert old.get("/display/board").status_code == 200
    assert other.get("/display/board").status_code == 403
    assert other.post(link).status_code == 303
    assert other.get("/display/board").status_code == 200
    assert old.get("/display/board").status_code == 403
    assert "data-open" in other.get(pairing.make_link(screen)).content.decode()  # its own: nobody to ask


def test_a_quiet_wall_is_in_use(long_running):
    """It asks twice a minute though nothing happens; that is noted at each second time at the latest."""
    script = (settings.BASE_DIR / "static/kitchen_display/js/live.js").read_text()
    found = re.search(r"const SAFETY_MS = (\d+);", script)
    assert found is not None
    asks_every = timedelta(milliseconds=int(found[1]))
    silent = 2 * max(asks_every, SEEN_EVERY)
    assert silent < screens.ONLINE_FOR

    screen = make.screen()
    old = make.paired(screen)
    Screen.objects.update(last_seen_at=timezone.now() - silent)
    assert "Move this screen here" in browser().get(pairing.make_link(screen)).content.decode()
    assert old.get("/display/board").status_code == 200


def test_a_wall_seen_before_the_clock_was_set_back_is_seen_anew():
    screen = make.screen()
    wall = make.paired(screen)
    Screen.objects.update(last_seen_at=timezone.now() + timedelta(hours=1))
    screen.refresh_from_db()
    assert not screen.is_online(timezone.now())

    assert wall.get("/display/board").status_code == 200

    screen.refresh_from_db()
    assert screen.is_online(timezone.now())


def test_a_wall_that_could_not_ask_while_the_server_was_away_is_in_use(monkeypatch):
    monkeypatch.setattr(screens, "LISTENING_SINCE", timezone.now())
    screen = make.screen()
    old = make.paired(screen)
    Screen.objects.update(last_seen_at=timezone.now() - timedelta(hours=9))
    assert "Move this screen here" in browser().get(pairing.make_link(screen)).content.decode()
    assert old.get("/display/board").status_code == 200


def test_a_pickup_board_opens_its_own_new_link_without_being_asked():
    screen = make.screen("Counter", kind="pickup")
    client = make.paired(screen)
    assert "data-open" in client.get(pairing.make_link(screen)).content.decode()
    assert client.post(pairing.make_link(screen))["Location"] == "/pickup/"


def test_revocation_counts_at_once_and_shows_a_friendly_page():
    screen = make.screen()
    client = make.paired(screen)
    make.order(channel_display_id="#SECRET")
    assert "#SECRET" in client.get("/display/").content.decode()
    assert pairing.revoke(screen) and not pairing.revoke(screen)
    for path in ("/display/", "/display/board", "/display/paper", "/display/recalls"):
        for headers in ({}, make.SCRIPT):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 403 and "switched off" in answer.content.decode(), path
            assert "#SECRET" not in answer.content.decode()
    assert client.post("/display/bump", {"order": "x"}).status_code == 403


@pytest.fixture
def ended(monkeypatch, django_capture_on_commit_callbacks):
    """Runs something and tells the pairings whose streams it ends, with their kitchens."""

    def run(do, *args):
        calls = []
        monkeypatch.setattr(
            hints,
            "_publisher",
            lambda: SimpleNamespace(
                publish=lambda *_: None, end_pairing=lambda kitchen, pairing: calls.append((kitchen, pairing))
            ),
        )
        with django_capture_on_commit_callbacks(execute=True):
            do(*args)
        return calls

    return run


def test_whatever_takes_a_screen_from_its_browser_ends_its_stream(ended):
    screen = make.screen()
    make.paired(screen)
    first = screen.pairing
    link = pairing.make_link(screen)
    assert ended(browser().post, link) == [("main", first)]
    stale = Screen.objects.get(pk=screen.pk)
    assert stale.pairing not in ("", first)
    second = stale.pairing
    make.paired(screen)  # while somebody looks at the list in the admin
    screen.refresh_from_db()
    assert ended(pairing.revoke, stale) == [("main", screen.pairing)] != [("main", second)]
    assert ended(pairing.revoke, stale) == []
    make.paired(screen)
    assert ended(Screen.objects.filter(pk=screen.pk).delete) == [("main", screen.pairing)]


def test_a_code_for_a_paired_screen_ends_the_stream_of_its_old_browser(ended):
    screen, other = make.screen(), browser()
    make.paired(screen)
    pairing.enter_code(code_of(other), screen)
    assert ended(other.get, "/display/pair/status") == [("main", screen.pairing)]


def test_another_kitchen_or_kind_is_another_pairing():
    screen = make.screen()
    assert screen.pairing == ""
    make.paired(screen)
    names = {screen.pairing}
    screen.kind = Screen.Kind.PICKUP
    names.add(screen.pairing)
    screen.kitchen_id = "other"
    names.add(screen.pairing)
    assert len(names) == 3


def test_a_revoked_screen_can_be_paired_anew():
    screen = make.screen()
    client = make.paired(screen)
    pairing.revoke(screen)
    assert client.get("/display/pair").status_code == 200
    assert client.post(pairing.make_link(screen)).status_code == 303
    assert client.get("/display/").status_code == 200


def test_one_browser_holds_a_display_and_a_pickup_board():
    client = make.paired(make.screen("Wall"))
    link = pairing.make_link(make.screen("Counter", kind="pickup"))
    assert client.post(link)["Location"] == "/pickup/"
    assert client.get("/display/board").status_code == 200
    assert client.get("/pickup/board").status_code == 200


def test_only_digests_are_stored():
    screen = make.screen()
    link = pairing.make_link(screen)
    token = link.rsplit("/", 1)[1]
    client = browser()
    client.post(link)
    screen.refresh_from_db()
    stored = [str(value) for value in Screen.objects.values_list().first()]
    assert token not in stored and client.cookies["huuva_screen"].value not in stored


def run(*words):
    out = io.StringIO()
    call_command("pair_screen", *words, stdout=out)
    return out.getvalue()


def test_pair_screen_prints_the_path_alone():
    orders.kitchen()
    printed = run("Kitchen display", "--kitchen", "main")
    assert printed.startswith("/display/pair/") and printed.count("\n") == 1
    client = browser()
    assert client.post(printed.strip())["Location"] == "/display/"
    again = run("Kitchen display")  # the same screen, a new link
    assert again != printed and Screen.objects.count() == 1
    assert client.get("/display/board").status_code == 200


def test_pair_screen_for_stations_and_the_pickup_board():
    make.station("grill", "GR")
    run("grill-1", "--station", "grill")
    assert Screen.objects.get().station.slug == "grill"
    assert browser().post(run("Counter", "--board", "pickup").strip())["Location"] == "/pickup/"
    for words, sentence in (
        (["x", "--kitchen", "nowhere"], "There is no kitchen nowhere"),
        (["x", "--station", "bar"], "has no station bar. It has: grill"),
        (["y", "--station", "grill", "--board", "pickup"], "A pickup board has no station"),
        ([""], "blank"),
    ):
        with pytest.raises(CommandError, match=sentence):
            run(*words)
    orders.kitchen("second")
    with pytest.raises(CommandError, match="--kitchen"):
        run("x")
