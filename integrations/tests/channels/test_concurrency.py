"""Channels and cooks at the same moment, each in a thread and connection of its own."""

from collections import Counter
from collections.abc import Callable

import pytest

from integrations.models import ChannelMessage, ChannelOrder
from integrations.tests.channels import factories as make
from orders.consistency import differences
from orders.errors import ImpossibleMove
from orders.models import Order, StatusChange
from orders.services import move_order
from orders.statuses import CANCELLED, PICKED_UP, READY
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = "deliverect:d-1"


def bump(to: int) -> Callable[[], str]:
    def act() -> str:
        try:
            move_order(ORDER, to, actor="screen:grill")
        except ImpossibleMove:
            return "too late"
        return "bumped"

    return act


def history() -> list[int]:
    return list(
        StatusChange.objects.filter(order_id=ORDER, plu=None)
        .order_by("sequence")
        .values_list("to_status", flat=True)
    )


def test_one_webhook_eight_times_at_once_is_one_order_and_one_answer():
    make.link()
    answers = at_once(*[lambda: make.send(make.body())] * 8)
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (200, b'{"id":"%s"}' % ORDER.encode())
    }
    assert Order.objects.get().version == 1
    outcomes = Counter(ChannelMessage.objects.values_list("outcome", flat=True))
    assert outcomes == {"taken": 1, "repeated": 7}


def test_the_same_cancellation_eight_times_at_once_cancels_once():
    make.link()
    make.send(make.body())
    answers = at_once(*[lambda: make.send(make.cancel())] * 8)
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (200, b'{"id":"%s"}' % ORDER.encode())
    }
    assert history() == [1, CANCELLED]


@pytest.mark.parametrize("turn", range(5))
def test_an_order_and_its_cancellation_at_once_end_cancelled(turn: int):
    make.link()
    answers = at_once(
        lambda: make.send(make.body()),
        lambda: make.send(make.cancel()),
        lambda: make.send(make.body()),
        lambda: make.send(make.cancel()),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert history() in ([CANCELLED], [1, CANCELLED])
    assert set(Order.objects.get().items.values_list("status", flat=True)) == {CANCELLED}
    assert ChannelOrder.objects.get().cancelled_at is not None
    assert differences() == []


@pytest.mark.parametrize("turn", range(5))
def test_a_cancellation_and_a_bump_to_ready_at_once_end_cancelled(turn: int):
    make.link()
    make.send(make.body())
    answer, bumped = at_once(lambda: make.send(make.cancel()), bump(READY))
    assert answer.status_code == 200
    assert history() == ([1, READY, CANCELLED] if bumped == "bumped" else [1, CANCELLED])
    assert differences() == []


@pytest.mark.parametrize("turn", range(5))
def test_cancel_and_pick_up_at_once_one_wins_and_the_channel_hears_it(turn: int):
    make.link()
    make.send(make.body())
    answer, bumped = at_once(lambda: make.send(make.cancel()), bump(PICKED_UP))
    if bumped == "bumped":
        assert (answer.status_code, answer.json()["code"]) == (409, "impossible_move")
        assert history() == [1, PICKED_UP]
    else:
        assert answer.status_code == 200
        assert history() == [1, CANCELLED]
    assert differences() == []


def test_orders_of_an_unknown_place_at_once_make_one_place_to_set_up():
    link = make.link()
    answers = at_once(*[lambda n=n: make.send(make.body(f"d-{n}", location="elsewhere")) for n in range(8)])
    assert [answer.status_code for answer in answers] == [422] * 8
    assert link.locations.filter(external_id="elsewhere").count() == 1
    assert ChannelMessage.objects.count() == 8
