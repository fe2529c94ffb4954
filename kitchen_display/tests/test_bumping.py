"""Touches of cooks: what they move, what is allowed, and how refusals read."""

from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from kitchen_display.pairing import make_link
from kitchen_display.tests import factories as make
from orders.models import Order, OrderItem, StatusChange
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED
from orders.tests import factories as orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def expo():
    return make.paired(make.screen("Expo"))


@pytest.fixture
def grill():
    make.station("sushi", "SU")
    return make.paired(make.screen("Grill", station=make.station("grill", "GR")))


def post(client, path, order, **fields):
    data = {"order": order.id, **fields}
    return client.post(f"/display/{path}", data, headers=make.SCRIPT)


def statuses(order):
    items = OrderItem.objects.filter(order_id=order.id).order_by("position")
    return Order.objects.get(pk=order.id).status, [item.status for item in items]


def actors(order):
    return set(StatusChange.objects.filter(order_id=order.id, change__gt=1).values_list("actor", flat=True))


def test_a_touch_on_an_item_makes_it_ready_and_lifts_the_order(expo):
    order = make.order("A", "B")
    answer = post(expo, "bump", order, plu="A")
    assert answer.status_code == 200 and answer["X-Board-Version"] and answer["X-Server-Time"]
    assert statuses(order) == (PREPARING, [READY, RECEIVED])
    assert actors(order) == {"screen:Expo"}


def test_the_footer_on_expo_makes_the_order_ready_then_hands_it_out(expo):
    order = make.order("A", "B")
    post(expo, "bump", order)
    assert statuses(order) == (READY, [READY, READY])
    post(expo, "bump", order, to=PICKED_UP, version=2)
    assert statuses(order) == (PICKED_UP, [PICKED_UP, PICKED_UP])


def test_the_footer_of_a_station_makes_its_items_ready_as_one_change(grill):
    order = make.order("GR1", "SU1", "GR2")
    assert post(grill, "bump", order).status_code == 200
    assert statuses(order) == (PREPARING, [READY, RECEIVED, READY])
    assert set(
        StatusChange.objects.filter(order_id=order.id, change__gt=1).values_list("change", flat=True)
    ) == {2}
    assert post(grill, "undo", order).status_code == 200
    assert statuses(order) == (RECEIVED, [RECEIVED, RECEIVED, RECEIVED])


def test_a_station_touches_its_own_items_only(grill):
    order = make.order("GR1", "SU1")
    foreign = make.order("SU1")
    assert post(grill, "bump", order, plu="SU1").status_code == 409
    assert post(grill, "bump", foreign).status_code == 409
    assert post(grill, "bump", order, to=PICKED_UP).status_code == 409
    assert statuses(order) == (RECEIVED, [RECEIVED, RECEIVED]) and statuses(foreign) == (RECEIVED, [RECEIVED])


def test_a_screen_touches_its_kitchen_only(expo):
    order = make.order(of=orders.kitchen("other"))
    for path in ("bump", "recall"):
        answer = post(expo, path, order)
        assert answer.status_code == 409 and "not here" in answer.content.decode()
    assert statuses(order) == (RECEIVED, [RECEIVED])


def test_a_screen_cannot_cancel(expo):
    order = make.order()
    assert post(expo, "bump", order, to=CANCELLED).status_code == 409
    assert statuses(order) == (RECEIVED, [RECEIVED])


def test_a_late_touch_names_who_was_faster_in_the_kitchens_time(expo):
    order = make.order(of=orders.kitchen(time_zone="Europe/Helsinki"))
    move_item(order.id, "P0", READY, actor="screen:Grill")
    row = StatusChange.objects.filter(order_id=order.id, plu="P0").latest("sequence")
    answer = post(expo, "bump", order, plu="P0")
    assert answer.status_code == 409 and answer["Content-Type"].startswith("text/plain")
    at = f"{row.at.astimezone(ZoneInfo('Europe/Helsinki')):%H:%M}"
    assert answer.content.decode() == f"Grill did this at {at}"


def test_the_same_touch_twice_by_one_screen_is_no_complaint(expo):
    order = make.order()
    assert post(expo, "bump", order, plu="P0").status_code == 200
    assert post(expo, "bump", order, plu="P0").status_code == 200
    assert Order.objects.get(pk=order.id).version == 2


def test_a_cancelled_order_says_who_cancelled_it(expo):
    order = make.order()
    move_order(order.id, CANCELLED, actor="key:wolt")
    answer = post(expo, "bump", order, plu="P0")
    assert answer.status_code == 409 and answer.content.decode().startswith("Cancelled by wolt at")


def test_a_late_touch_does_not_hand_out_what_was_recalled(expo):
    order = make.order()
    post(expo, "bump", order)
    other = make.paired(make.screen("Expo 2"))
    assert post(other, "recall", order).status_code == 200
    answer = post(expo, "bump", order, to=PICKED_UP, version=2)
    assert answer.status_code == 409 and "Expo 2 took this back" in answer.content.decode()
    assert statuses(order) == (RECEIVED, [RECEIVED])


def test_undo_takes_back_this_screens_last_bump_and_nothing_of_others(expo):
    first, second = make.order(), make.order()
    post(expo, "bump", first, plu="P0")
    move_item(second.id, "P0", READY, actor="screen:Grill")
    assert expo.post("/display/undo", headers=make.SCRIPT).status_code == 200
    assert statuses(first) == (RECEIVED, [RECEIVED]) and statuses(second) == (READY, [READY])
    answer = expo.post("/display/undo", headers=make.SCRIPT)
    assert answer.status_code == 409 and "nothing to take back" in answer.content.decode()


def test_the_recall_list_brings_back_what_others_bumped(expo, grill):
    order = make.order("GR1", "SU1", channel_display_id="#77")
    post(grill, "bump", order)
    page = expo.get("/display/recalls", headers=make.SCRIPT).content.decode()
    assert "#77" in page and "2 × Dish GR1" in page
    assert post(expo, "recall", order, plu="GR1").status_code == 200
    assert statuses(order) == (RECEIVED, [RECEIVED, RECEIVED])
    assert "#77" not in expo.get("/display/recalls", headers=make.SCRIPT).content.decode()


def test_a_station_cannot_take_back_what_expo_did_to_the_order(grill, expo):
    order = make.order("GR1", "SU1")
    post(expo, "bump", order)
    assert "Dish" not in grill.get("/display/recalls", headers=make.SCRIPT).content.decode()
    answer = post(grill, "recall", order)
    assert answer.status_code == 409 and answer.content.decode().startswith("Expo did this at")
    assert statuses(order) == (READY, [READY, READY])


def test_without_javascript_a_touch_leads_back_to_the_wall(expo):
    order = make.order()
    answer = expo.post("/display/bump", {"order": order.id, "plu": "P0", "to": READY, "version": 1})
    assert answer.status_code == 303 and answer["Location"] == "/display/"
    move_order(order.id, PICKED_UP, actor="screen:Other")
    answer = expo.post("/display/bump", {"order": order.id, "plu": "P0"})
    assert answer.status_code == 409 and "Other did this at" in answer.content.decode()
    assert 'href="/display/"' in answer.content.decode()


def test_touches_are_forms_with_a_token():
    screen = make.screen("Strict")
    client = Client(enforce_csrf_checks=True)
    link = make_link(screen)
    assert client.post(link).status_code == 403
    client.get(link)
    token = client.cookies["csrftoken"].value
    assert client.post(link, headers={"X-CSRFToken": token}).status_code == 303
    client.get("/display/")
    order = make.order()
    assert client.post("/display/bump", {"order": order.id}).status_code == 403
    done = client.post("/display/bump", {"order": order.id}, headers={**make.SCRIPT, "X-CSRFToken": token})
    assert done.status_code == 200
    assert client.get("/display/bump").status_code == 405


def test_nonsense_is_refused_in_words(expo):
    for data in (
        {},
        {"order": "x" * 200},
        {"order": "a", "to": "99"},
        {"order": "a", "version": "x"},
        {"order": "\0"},
    ):
        assert expo.post("/display/bump", data, headers=make.SCRIPT).status_code == 400, data
    assert expo.post("/display/bump", {"order": "unknown"}, headers=make.SCRIPT).status_code == 409


def test_the_recall_list_holds_the_last_30(expo):
    created = [make.order("A", due_in=n + 1) for n in range(32)]
    for order in created:
        move_order(order.id, PICKED_UP, actor="screen:Other")
    listed = expo.get("/display/recalls", headers=make.SCRIPT).context["recalls"]
    assert [entry.order_id for entry in listed] == [order.id for order in reversed(created[2:])]


def test_an_order_whose_id_another_kitchen_has_is_bumped_like_any_other(expo):
    theirs = orders.order(id="A17", of=orders.kitchen("theirs"))
    order = orders.OrderFactory(new__id="A17", own_ids=True)
    assert post(expo, "bump", order).status_code == 200
    assert (statuses(order)[0], statuses(theirs)[0]) == (READY, RECEIVED)
