"""Amendments of what was on the wall ring, and say what changed, until somebody has seen them."""

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from kitchen_display import alarms, hints
from kitchen_display.board import read_board
from kitchen_display.models import Alarm, AmendmentAlarm
from kitchen_display.tests import factories as make
from orders import clock
from orders.amendments import ItemAmendment, amend_order
from orders.errors import Refusal
from orders.models import Order
from orders.recall import recall
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED
from orders.tests import factories as orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def expo():
    screen = make.screen()
    screen.client = make.paired(screen)
    return screen


def amend(order, plu=None, **wanted):
    if plu is not None:
        wanted = {"items": {plu: ItemAmendment(**wanted)}}
    return amend_order(order.id, actor="key:wolt", **wanted)


def shown_changes(screen):
    """The standing changes on the wall: (plu, field, before, after); the order's own plu is ""."""
    changes = []
    for ticket in read_board(screen, clock.now()).tickets:
        changes += [("", a.field, a.before, a.after) for a in ticket.amended]
        changes += [(i.plu, a.field, a.before, a.after) for i in ticket.items for a in i.amended]
    return changes


def touch(screen, order, version=None, **more):
    version = version or Order.objects.get(pk=order.id).version
    return screen.client.post(
        "/display/acknowledge", {"order": order.id, "version": version, **more}, headers=make.SCRIPT
    )


def test_the_wall_says_what_changed_from_what_to_what(expo):
    order = make.order("A", "B", note="Ring twice")
    due, later = order.due_at, order.due_at + timedelta(minutes=20)
    amend(order, note="Ring once", pickup_time=later)
    amend(order, "B", quantity=3, note="no onion")
    assert shown_changes(expo) == [
        ("", "due_at", due, later),
        ("", "note", "Ring twice", "Ring once"),
        ("B", "quantity", 2, 3),
        ("B", "note", "", "no onion"),
    ]
    page = expo.client.get("/display/board", headers=make.SCRIPT).content.decode()
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for words in ("Changed", "2 → 3", "Note, before: “Ring twice”", "New note", "Changed: seen"):
        assert words in text, words
    day = r"(\d+ \w+ )?"  # where one of them is tomorrow
    assert re.search(rf"Due {day}\d\d:\d\d → {day}\d\d:\d\d", text)


def test_amended_again_it_says_what_somebody_last_knew(expo):
    order = make.order("A")
    amend(order, "A", quantity=3)
    amend(order, "A", quantity=5, note="hot")
    assert shown_changes(expo) == [("A", "quantity", 2, 5), ("A", "note", "", "hot")]
    assert AmendmentAlarm.objects.count() == 1
    amend(order, "A", quantity=2)
    assert shown_changes(expo) == [("A", "note", "", "hot")]
    amend(order, "A", note="")
    assert shown_changes(expo) == []
    assert not AmendmentAlarm.objects.exists()


def test_the_next_amendment_after_acknowledging_rings_again(expo):
    order = make.order("A")
    amend(order, "A", quantity=3)
    touch(expo, order, plu="A")
    assert shown_changes(expo) == []
    assert AmendmentAlarm.objects.get().acknowledged_by == "screen:Expo"
    amend(order, "A", quantity=4)
    assert shown_changes(expo) == [("A", "quantity", 3, 4)]
    assert AmendmentAlarm.objects.get().acknowledged_by == ""


def test_what_was_amended_after_the_page_was_drawn_keeps_its_alarm(expo):
    order = make.order("A")
    amend(order, "A", quantity=3)
    amend(order, "A", quantity=4)
    assert touch(expo, order, version=2, plu="A").status_code == 200
    assert shown_changes(expo) == [("A", "quantity", 2, 4)]


def test_a_touch_on_the_foot_ends_all_of_the_ticket_and_bumps_nothing(expo):
    order = make.order("A", "B")
    amend(order, note="x", items={"A": ItemAmendment(quantity=3)})
    page = expo.client.get("/display/board", headers=make.SCRIPT).content.decode()
    assert re.search(r'<button class="foot foot--amended"[^>]* formaction="/display/acknowledge"', page)
    touch(expo, order, what="amended")
    assert shown_changes(expo) == []
    assert Order.objects.get().status == RECEIVED
    page = expo.client.get("/display/board", headers=make.SCRIPT).content.decode()
    assert "foot--amended" not in page and 'class="foot"' in page


def test_without_a_script_seeing_it_is_a_form(expo):
    order = make.order("A")
    amend(order, "A", quantity=3)
    form = {"order": order.id, "version": 2, "what": "amended"}
    assert expo.client.post("/display/acknowledge", form).status_code == 303
    assert expo.client.post("/display/acknowledge", form).status_code == 303  # twice is fine
    assert shown_changes(expo) == []


def test_seeing_an_amendment_ends_no_cancellation(expo):
    order = make.order("A", "B")
    move_item(order.id, "A", CANCELLED, actor="key:wolt")
    amend(order, "B", quantity=3)
    touch(expo, order, what="amended")
    (ticket,) = read_board(expo, clock.now()).tickets
    assert ticket.has_alarm and not ticket.is_amended


def test_a_station_shows_changes_of_its_items_and_of_the_whole_order(expo):
    grill, sushi = (
        make.screen(name, station=make.station(name, prefix))
        for name, prefix in (("grill", "GR"), ("sushi", "SU"))
    )
    sushi.client = make.paired(sushi)
    order = make.order("GR1", "SU1")
    amend(order, "GR1", quantity=3)
    assert shown_changes(grill) == shown_changes(expo) == [("GR1", "quantity", 2, 3)]
    assert shown_changes(sushi) == []
    touch(sushi, order, what="amended")  # it doesn't show it, so it can't have seen it
    touch(sushi, order, plu="GR1")
    assert len(shown_changes(grill)) == 1

    amend(order, note="nuts!")
    assert ("", "note", "", "nuts!") in shown_changes(sushi)
    touch(sushi, order, what="amended")
    assert shown_changes(sushi) == []
    assert shown_changes(grill) == [("GR1", "quantity", 2, 3)]


def test_a_station_that_was_done_sees_it_again(expo):
    grill = make.screen("grill", station=make.station("grill", "GR"))
    make.station("sushi", "SU")
    order = make.order("GR1", "SU1")
    move_item(order.id, "GR1", READY, actor="screen:grill")
    assert read_board(grill, clock.now()).tickets == []
    amend(order, "SU1", quantity=3)
    assert read_board(grill, clock.now()).tickets == []  # not its dish
    amend(order, "GR1", quantity=3)
    assert shown_changes(grill) == [("GR1", "quantity", 2, 3)]
    move_order(order.id, READY, actor="screen:Expo")
    assert shown_changes(grill) == [("GR1", "quantity", 2, 3)]


def test_what_waits_in_the_rail_is_amended_in_silence(expo):
    waiting = make.order("A", due_in=600)
    amend(waiting, "A", quantity=3)
    elsewhere = make.order("A", of=orders.kitchen("no-screens"))
    amend(elsewhere, "A", quantity=3)
    # Nobody has read it in the rail; on the wall it is new.
    amend(waiting, pickup_time=clock.now() + timedelta(minutes=5))
    assert shown_changes(expo) == []
    assert not AmendmentAlarm.objects.exists()
    assert read_board(expo, clock.now()).tickets[0].items[0].quantity == 3


def test_an_order_for_later_that_was_begun_rings(expo):
    order = make.order("A", "B", due_in=600)
    move_item(order.id, "A", PREPARING, actor="screen:Expo")
    amend(order, "B", quantity=3)
    assert shown_changes(expo) == [("B", "quantity", 2, 3)]


def test_a_postponed_order_stays_on_the_wall_until_that_was_seen(expo):
    order = make.order("A")
    later = clock.now() + timedelta(hours=5)
    amend(order, pickup_time=later)
    amend(order, "A", quantity=3)
    assert shown_changes(expo) == [("", "due_at", order.due_at, later), ("A", "quantity", 2, 3)]
    touch(expo, order, what="amended")
    board = read_board(expo, clock.now())
    assert (board.tickets, [t.order_id for t in board.later]) == ([], [order.id])


def test_a_postponed_order_rings_when_cancelled_before_that_was_seen(expo):
    seen, unseen = make.order("A"), make.order("A")
    for order in (seen, unseen):
        amend(order, pickup_time=clock.now() + timedelta(hours=5))
    touch(expo, seen, what="amended")
    for order in (seen, unseen):
        move_order(order.id, CANCELLED, actor="key:wolt")
    assert list(Alarm.objects.values_list("order_id", flat=True)) == [unseen.id]


def test_what_was_cancelled_or_handed_out_shows_no_amendments(expo):
    item, whole, out = make.order("A", "B"), make.order("A"), make.order("A")
    for order in (item, whole, out):
        amend(order, "A", quantity=3)
    move_item(item.id, "A", CANCELLED, actor="key:wolt")
    move_order(whole.id, CANCELLED, actor="key:wolt")
    move_order(out.id, PICKED_UP, actor="screen:Expo")
    assert shown_changes(expo) == []
    recall(out.id, actor="screen:Expo")
    assert shown_changes(expo) == [("A", "quantity", 2, 3)]  # it is back, and nobody has seen it yet


def test_what_is_ready_and_was_amended_stands_among_what_is_urgent(expo):
    ready, fresh = make.order("A", due_in=5), make.order("A", due_in=15)
    move_order(ready.id, READY, actor="screen:Expo")
    assert [t.order_id for t in read_board(expo, clock.now()).tickets] == [fresh.id, ready.id]
    amend(ready, "A", quantity=3)
    assert [t.order_id for t in read_board(expo, clock.now()).tickets] == [ready.id, fresh.id]


def test_the_board_gets_another_version_with_the_alarm_and_without(expo):
    order = make.order("A")
    amend(order, "A", quantity=3)
    before = read_board(expo, clock.now()).version
    touch(expo, order, plu="A")
    assert read_board(expo, clock.now()).version != before


def test_alarm_and_amendment_stand_or_fall_together(expo):
    order = make.order("A")
    with pytest.raises(Refusal), transaction.atomic():
        amend(order, "A", quantity=3)
        move_order(order.id, PICKED_UP, actor="key:wolt")
        amend(order, note="x")
    assert shown_changes(expo) == []
    assert not AmendmentAlarm.objects.exists()


def test_an_amendment_is_published_once_it_is_committed(
    expo, monkeypatch, django_capture_on_commit_callbacks
):
    order = make.order("A")
    sent = []
    monkeypatch.setattr(hints, "publish", lambda kitchen, kind=hints.ORDERS: sent.append((kitchen, kind)))
    with django_capture_on_commit_callbacks(execute=True):
        amend(order, "A", quantity=3)
        assert sent == []
    assert sent == [("main", "orders")]
    with django_capture_on_commit_callbacks(execute=True):
        amend(order, "A", quantity=3)  # as it is already
    assert sent == [("main", "orders")]


def test_an_alarm_costs_three_statements_however_many_items(expo):
    order = make.order(*(f"P{n}" for n in range(30)))
    with CaptureQueriesContext(connection) as asked:
        amend(order, note="x", items={f"P{n}": ItemAmendment(quantity=3) for n in range(30)})
    assert len([q for q in asked if "kitchen_display_" in q["sql"]]) == 3


def test_the_paper_has_the_new_values(expo):
    order = make.order("A", note="Ring twice")
    amend(order, note="Ring once", items={"A": ItemAmendment(quantity=7)})
    paper = expo.client.get("/display/paper").content.decode()
    assert "Ring once" in paper and "7 ×" in paper and "Ring twice" not in paper


def test_old_alarms_are_removed(expo):
    order = make.order("A")
    amend(order, "A", quantity=3)
    assert alarms.purge_alarms() == 0
    AmendmentAlarm.objects.update(raised_at=clock.now() - alarms.KEEP - timedelta(minutes=1))
    assert alarms.purge_alarms() == 1
