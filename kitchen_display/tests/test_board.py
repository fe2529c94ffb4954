"""What a screen shows, and what it costs."""

from datetime import timedelta

import pytest

from kitchen_display.board import read_board
from kitchen_display.models import Alarm
from kitchen_display.tests import factories as make
from orders import clock
from orders.new import NewItem
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY
from orders.tests import factories as orders

pytestmark = pytest.mark.django_db


def board(screen, at=None):
    return read_board(screen, at or clock.now())


def shown(screen, at=None):
    return [ticket.order_id for ticket in board(screen, at).tickets]


def test_most_urgent_first_and_ready_ones_at_the_end():
    late, soon, ready = make.order(due_in=12), make.order(due_in=5), make.order(due_in=1)
    move_order(ready.id, READY, actor="user:ada")
    assert shown(make.screen()) == [soon.id, late.id, ready.id]


def test_picked_up_orders_leave_the_wall():
    order = make.order()
    move_order(order.id, PICKED_UP, actor="user:ada")
    assert shown(make.screen()) == []


def test_a_screen_sees_its_kitchen_only():
    elsewhere = orders.kitchen("other")
    make.order(of=elsewhere)
    assert shown(make.screen()) == []


def test_a_station_shows_what_its_rules_claim_and_what_nobody_claims():
    grill, sushi = make.station("grill", "GR"), make.station("sushi", "SU")
    both = make.order("GR1", "SU1", due_in=1)
    rolls = make.order("SU2", due_in=2)
    cola = make.order("COLA", due_in=3)
    assert shown(make.screen("Grill", station=grill)) == [both.id, cola.id]
    assert shown(make.screen("Sushi", station=sushi)) == [both.id, rolls.id, cola.id]
    ticket = board(make.screen("Grill 2", station=grill)).tickets[0]
    assert [item.plu for item in ticket.mine] == ["GR1"]
    assert ticket.others == 1


def test_the_longest_rule_wins_and_an_exact_one_before_a_prefix():
    stations = [make.station("hot", "A"), make.station("cold", "A1", exact=("A2",))]
    make.order("A0", "A1x", "A2", "A2x", "A2~2")
    boards = [board(make.screen(station.name, station=station)) for station in stations]
    shown = [[item.plu for item in ticket.mine] for (ticket,) in (each.tickets for each in boards)]
    assert shown == [["A0", "A2x"], ["A1x", "A2", "A2~2"]]


def test_a_station_is_done_with_a_ticket_when_its_items_are_ready():
    grill = make.screen("Grill", station=make.station("grill", "GR"))
    make.station("sushi", "SU")
    order = make.order("GR1", "SU1")
    move_item(order.id, "GR1", READY, actor="screen:Grill")
    assert shown(grill) == []
    assert shown(make.screen()) == [order.id]


def test_expo_sees_what_each_station_owes():
    make.station("grill", "GR")
    make.station("sushi", "SU")
    make.station("packing", "PA")
    order = make.order("GR1", "SU1", "SU2", due_in=1)
    move_item(order.id, "SU2", READY, actor="screen:Sushi")
    result = board(make.screen(), clock.now() + timedelta(minutes=2))
    assert [(owed.name, owed.pieces, owed.late) for owed in result.owes] == [
        ("Grill", 2, 2),
        ("Packing", 0, 0),
        ("Sushi", 2, 2),
    ]
    assert [(owed.slug, owed.pieces) for owed in result.tickets[0].owes] == [("grill", 2), ("sushi", 2)]


def test_orders_for_later_wait_in_the_rail_until_their_release():
    kitchen = orders.kitchen(release_minutes=20)
    order = make.order(due_in=60, of=kitchen)
    screen, now = make.screen(), clock.now()
    result = board(screen)
    assert not result.tickets and [ticket.order_id for ticket in result.later] == [order.id]
    assert result.later[0].wall_at == order.due_at - timedelta(minutes=20)
    assert result.next_at == result.later[0].wall_at
    assert shown(screen, now + timedelta(minutes=41)) == [order.id]


def test_an_order_for_later_that_somebody_begins_comes_to_the_wall():
    order = make.order(due_in=600)
    move_order(order.id, PREPARING, actor="screen:Expo")
    assert shown(make.screen()) == [order.id]


def test_a_begun_item_is_enough_where_items_do_not_lift_their_order():
    order = make.order("A", "B", due_in=600, of=orders.kitchen(auto_advance=False))
    move_item(order.id, "A", PREPARING, actor="screen:Grill")
    result = board(make.screen())
    assert [ticket.order_id for ticket in result.tickets] == [order.id] and not result.later


def test_amber_at_three_quarters_of_the_time_on_the_wall_red_when_due():
    make.order(due_in=10)
    screen, now = make.screen(), clock.now()
    for minutes, urgency in ((7, "calm"), (8, "soon"), (10, "late")):
        (ticket,) = board(screen, now + timedelta(minutes=minutes)).tickets
        assert ticket.urgency == urgency, minutes


def test_the_time_of_a_scheduled_order_begins_with_its_release():
    kitchen = orders.kitchen(release_minutes=20)
    order = make.order(due_in=600, of=kitchen)
    at = order.due_at - timedelta(minutes=6)
    (ticket,) = board(make.screen(), at).tickets
    assert ticket.urgency == "calm"
    (ticket,) = board(make.screen("B"), at + timedelta(minutes=2)).tickets
    assert ticket.urgency == "soon"


def test_what_is_ready_is_not_late():
    order = make.order(due_in=1)
    move_order(order.id, READY, actor="user:ada")
    result = board(make.screen(), clock.now() + timedelta(hours=1))
    assert result.tickets[0].urgency == "calm" and result.late_count == 0


def test_all_day_counts_are_those_of_the_tickets_and_the_rail():
    make.order("A", "B", due_in=-5)  # due at the kitchen's target: 15 minutes
    make.order("A", due_in=1)
    make.order("A", due_in=11)
    make.order("B", due_in=300)
    done = make.order("A", due_in=3)
    move_item(done.id, "A", READY, actor="screen:Expo")
    result = board(make.screen(), clock.now() + timedelta(minutes=2))
    assert [(r.plu, r.late, r.soon, r.later, r.total) for r in result.all_day] == [
        ("A", 2, 2, 2, 6),
        ("B", 0, 0, 4, 4),
    ]
    pieces = sum(i.quantity for t in (*result.tickets, *result.later) for i in t.items if i.next)
    assert pieces == sum(row.total for row in result.all_day)


def test_an_order_for_another_day_says_so_by_the_calendar_of_the_kitchen():
    order = make.order(due_in=24 * 60, of=orders.kitchen(time_zone="Asia/Tokyo"))
    screen = make.screen()
    assert [ticket.due_days for ticket in board(screen).later] == [1]
    assert [ticket.due_days for ticket in board(screen, order.due_at).tickets] == [0]


def test_a_dish_of_two_brands_is_counted_once():
    for plu in ("A-FRIES", "B-FRIES"):
        make.order(items=[NewItem(plu, {"name": "Fries", "quantity": 2}, None)], due_in=12)
    assert [(row.name, row.total) for row in board(make.screen()).all_day] == [("Fries", 4)]


def test_tickets_tell_brand_number_notes_allergens_and_modifiers():
    orders.brand(colour="#aa0000")
    tree = [{"name": "Cheese", "quantity": 2, "modifiers": [{"name": "Extra", "quantity": 1}]}]
    line = {
        "name": "Burger", "quantity": 3, "note": "no salt", "modifiers": tree, "allergens": ["milk", "nuts"],
    }  # fmt: skip
    make.order(items=[NewItem("B1", line, None)], note="ring twice", channel_display_id="#42")
    make.order(due_in=19, brand_id="unknown", channel_order_id="WOLT-12345")
    first, second = board(make.screen()).tickets
    assert (first.display, first.brand.name, first.brand.colour) == ("#42", "Burger House", "#aa0000")
    assert first.note == "ring twice"
    (item,) = first.items
    assert (item.quantity, item.note, item.allergens) == (3, "no salt", ("milk", "nuts"))
    assert [(m.depth, m.quantity, m.name) for m in item.modifiers] == [(0, 2, "Cheese"), (1, 1, "Extra")]
    assert (second.display, second.brand.name) == ("2345", "unknown")


def test_a_cancelled_order_stays_with_an_alarm_until_somebody_has_seen_it():
    screen = make.screen()
    make.paired(screen)
    order = make.order()
    move_order(order.id, CANCELLED, actor="key:wolt")
    (ticket,) = board(screen).tickets
    assert ticket.alarm and ticket.state == "cancelled" and ticket.next == 0
    assert [item.state for item in ticket.items] == ["cancelled"]
    assert not board(screen).all_day
    Alarm.objects.update(acknowledged_at=clock.now())
    assert shown(screen) == []


def test_a_cancelled_item_is_struck_through_until_acknowledged_then_gone():
    screen = make.screen("Grill", station=make.station("grill", "GR"))
    make.paired(screen)
    order = make.order("GR1", "GR2")
    move_item(order.id, "GR1", CANCELLED, actor="key:wolt")
    (ticket,) = board(screen).tickets
    assert [(item.plu, item.alarm) for item in ticket.items] == [("GR1", True), ("GR2", False)]
    assert ticket.has_alarm and not ticket.alarm
    Alarm.objects.update(acknowledged_at=clock.now())
    (ticket,) = board(screen).tickets
    assert [item.plu for item in ticket.items] == ["GR2"]


def test_the_version_changes_with_what_is_shown_and_only_then():
    screen, now = make.screen(), clock.now()
    empty = board(screen, now).version
    order = make.order(due_in=12)
    one = board(screen, now).version
    assert one not in (empty, board(screen, now + timedelta(minutes=10)).version)
    assert one == board(screen, now + timedelta(seconds=1)).version
    move_item(order.id, "P0", PREPARING, actor="screen:Expo")
    assert board(screen, now).version != one


def test_an_empty_board_of_another_zone_or_kitchen_has_another_version():
    screen, now = make.screen(), clock.now()
    versions = {board(screen, now).version}
    screen.kitchen.time_zone = "Asia/Tokyo"
    versions.add(board(screen, now).version)
    screen.kitchen = orders.kitchen("other", name=screen.kitchen.name, time_zone="Asia/Tokyo")
    versions.add(board(screen, now).version)
    assert len(versions) == 3
