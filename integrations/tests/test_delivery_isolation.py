"""Receivers that fail or hang leave room for those that answer: the rules of `integrations.deliveries.claim`."""

import pytest

from integrations.deliveries import claim, create
from integrations.deliveries import loop as loops
from integrations.models import Sink
from integrations.tests.factories import endpoint
from integrations.tests.sinks import running, turn_until
from orders import clock
from orders.tests import factories
from tests.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("open_network")]


def create_orders(count: int) -> None:
    for _ in range(count):
        factories.order(1)
    create.make_deliveries()


def make_healthy(receiver: Sink) -> None:
    Sink.objects.filter(pk=receiver.pk).update(last_success_at=clock.now())


def test_receivers_that_hang_take_at_most_half_of_the_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "connection_limit", lambda: 4)
    with Receiver(lambda path, number, body: "hang" if path == "/dead" else "ok") as receiver:
        for _ in range(5):
            endpoint(receiver.url("/dead"))
        make_healthy(endpoint(receiver.url("/live")))
        with running() as loop:
            create_orders(3)
            turn_until(loop, lambda: [one.path for one in receiver.requests].count("/live") == 3)
            turn_until(loop, lambda: loop.in_flight == 2)
            for _ in range(3):
                loop.turn()
            assert loop.in_flight == 2
        assert [one.path for one in receiver.requests].count("/dead") == 2


def test_a_receiver_that_is_not_healthy_has_one_send_in_flight() -> None:
    receiver = endpoint()
    create_orders(3)

    first = claim.claim("me", healthy=False, limit=10, in_flight={})

    assert len(first) == 1
    assert claim.claim("me", healthy=False, limit=10, in_flight={receiver.pk: 1}) == []
    assert claim.claim("me", healthy=True, limit=10, in_flight={}) == []


def test_a_healthy_receiver_has_sends_in_flight_up_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "RECEIVER_LIMIT", 2)
    receiver = endpoint()
    make_healthy(receiver)
    create_orders(3)

    assert len(claim.claim("me", healthy=True, limit=10, in_flight={receiver.pk: 1})) == 1
    assert claim.claim("me", healthy=True, limit=10, in_flight={receiver.pk: 2}) == []
