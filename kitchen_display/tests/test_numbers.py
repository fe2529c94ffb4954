"""The number that a cook presses means one order, as long as somebody may still press it."""

from datetime import timedelta

import pytest
from django.db import connection, transaction

from kitchen_display.board import read_board
from kitchen_display.models import TicketNumber
from kitchen_display.numbers import REST
from kitchen_display.tests import factories as make
from orders import clock
from orders.recall import recall
from orders.services import move_order
from orders.statuses import PICKED_UP

pytestmark = pytest.mark.django_db


def numbers(screen, at=None):
    return {t.order_id: t.number for t in read_board(screen, at or clock.now()).tickets}


def test_the_lowest_free_number_most_urgent_first():
    second, first = make.order(due_in=5), make.order(due_in=2)
    assert numbers(make.screen()) == {first.id: 1, second.id: 2}


def test_a_number_stays_when_more_urgent_orders_come():
    screen = make.screen()
    first = make.order(due_in=10)
    numbers(screen)
    urgent = make.order(due_in=1)
    assert numbers(screen) == {first.id: 1, urgent.id: 2}


def test_all_screens_of_a_kitchen_use_the_same_numbers():
    grill = make.screen("Grill", station=make.station("grill", "GR"))
    make.station("sushi", "SU")
    make.order("SU1", due_in=1)
    rolls = make.order("GR1", due_in=2)
    assert numbers(grill) == {rolls.id: 2}
    assert numbers(make.screen())[rolls.id] == 2


def test_a_number_rests_before_it_is_assigned_again():
    screen, now = make.screen(), clock.now()
    gone = make.order(due_in=1)
    numbers(screen)
    move_order(gone.id, PICKED_UP, actor="screen:Expo")
    second = make.order(due_in=2)
    assert numbers(screen, now) == {second.id: 2}
    later = now + REST + timedelta(seconds=1)
    third = make.order(due_in=3)
    assert numbers(screen, later) == {second.id: 2, third.id: 1}


def test_what_comes_back_has_its_number_again():
    screen = make.screen()
    gone = make.order(due_in=1)
    numbers(screen)
    move_order(gone.id, PICKED_UP, actor="screen:Expo")
    make.order(due_in=2)
    numbers(screen)
    recall(gone.id, actor="screen:Expo")
    assert numbers(screen)[gone.id] == 1


def test_orders_in_the_rail_have_no_number():
    screen = make.screen()
    make.order(due_in=600)
    assert read_board(screen, clock.now()).later[0].number is None
    assert not TicketNumber.objects.exists()


def test_with_all_numbers_in_use_a_ticket_has_none(monkeypatch):
    monkeypatch.setattr("kitchen_display.numbers.LAST_NUMBER", 1)
    first, second = make.order(due_in=1), make.order(due_in=2)
    assert numbers(make.screen()) == {first.id: 1, second.id: None}


def test_where_no_number_can_be_written_the_wall_still_stands():
    client = make.paired(make.screen())
    first = make.order(due_in=1)
    client.get("/display/board", headers=make.SCRIPT)
    second = make.order(due_in=2)
    before = transaction.savepoint_create()
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    board = client.get("/display/board", headers=make.SCRIPT).context["board"]
    transaction.savepoint_rollback(before)
    assert [(t.order_id, t.number) for t in board.tickets] == [(first.id, 1), (second.id, None)]
