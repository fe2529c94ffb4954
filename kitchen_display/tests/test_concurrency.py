"""Several screens and cooks at the same moment."""

import pytest

from kitchen_display.board import read_board
from kitchen_display.models import TicketNumber
from kitchen_display.tests import factories as make
from orders import clock
from orders.models import Order, StatusChange
from orders.statuses import PICKED_UP, READY
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_screens_that_look_at_once_agree_on_the_numbers():
    screens = [make.screen(f"s{n}") for n in range(4)]
    for n in range(25):
        make.order(due_in=n % 15 + 1)
    boards = at_once(*(lambda screen=screen: read_board(screen, clock.now()) for screen in screens))
    numbers = [{ticket.order_id: ticket.number for ticket in board.tickets} for board in boards]
    assert all(each == numbers[0] for each in numbers)
    assert sorted(numbers[0].values()) == list(range(1, 26))
    assert TicketNumber.objects.count() == 25


def test_of_two_cooks_who_bump_one_ticket_one_wins_and_one_gets_409():
    order = make.order("A", "B")
    clients = {name: make.paired(make.screen(name)) for name in ("Grill", "Pass")}

    def bump(client):
        data = {"order": order.id, "to": READY, "version": 1}
        return lambda: client.post("/display/bump", data, headers=make.SCRIPT)

    answers = at_once(*(bump(client) for client in clients.values()))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = StatusChange.objects.get(order_id=order.id, plu=None, to_status=READY).actor.partition(":")[2]
    refusal = next(answer for answer in answers if answer.status_code == 409)
    assert refusal.content.decode().startswith(f"{winner} did this at ")
    assert Order.objects.get(pk=order.id).version == 2


def test_two_cooks_hand_out_one_order():
    order = make.order()
    clients = [make.paired(make.screen(name)) for name in ("Grill", "Pass")]
    clients[0].post("/display/bump", {"order": order.id}, headers=make.SCRIPT)
    data = {"order": order.id, "to": PICKED_UP, "version": 2}
    answers = at_once(
        *(lambda c=client: c.post("/display/bump", data, headers=make.SCRIPT) for client in clients)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert StatusChange.objects.filter(order_id=order.id, plu=None, to_status=PICKED_UP).count() == 1
