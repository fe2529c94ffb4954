"""What a worker runs beside its tasks: the loop, again and again; and what /metrics tells of the tries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client

from integrations.deliveries import loop as loops
from integrations.deliveries import progress, purging
from integrations.deliveries.loop import Loop
from integrations.models import Delivery, DeliveryCount
from integrations.tests.factories import endpoint
from integrations.tests.sinks import work_off
from orders import clock
from orders.tests import factories
from tests.receiver import Receiver


def after(times: int) -> Callable[[], bool]:
    """True from that many questions on."""
    asked = iter([False] * times)
    return lambda: next(asked, True)


@pytest.mark.django_db(transaction=True)
def test_the_loop_goes_on_after_every_kind_of_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes: list[Exception | bool] = [OperationalError("away"), RuntimeError("a fault"), False, True]
    remaining = iter(outcomes)
    runs = 0

    def run(stopped: Callable[[], bool]) -> bool:
        nonlocal runs
        runs += 1
        outcome = next(remaining)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(loops, "run", run)
    monkeypatch.setattr(loops, "RETRY_SECONDS", 0.0)
    loops.run_until(lambda: runs == len(outcomes))
    assert runs == 4


@pytest.mark.django_db(transaction=True)
def test_only_one_process_runs_the_loop() -> None:
    assert progress.hold("another")
    assert loops.run(after(1)) is False
    progress.release("another")
    assert loops.run(after(3)) is True
    assert progress.hold("the next one"), "it is released at the end"


@pytest.mark.django_db(transaction=True)
def test_the_counter_of_tries_does_not_fall_when_deliveries_are_purged(
    client: Client, receiver: Receiver, loop: Loop
) -> None:
    series = 'huuva_delivery_tries_total{kind="webhook",outcome="%s"}'
    before = metrics(client)
    assert before[series % "given_up"] == 0, "a series begins at 0: Prometheus sees no rise from nothing"
    endpoint(receiver.url("/hooks"))
    factories.order()
    work_off(loop)
    delivered = metrics(client)[series % "delivered"]
    assert delivered > before[series % "delivered"]
    Delivery.objects.update(created_at=clock.now() - timedelta(days=10_000))
    assert purging.purge_deliveries() > 0
    assert Delivery.objects.count() == 0
    assert metrics(client)[series % "delivered"] == delivered
    assert "# TYPE huuva_delivery_tries_total counter" in client.get("/metrics").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_large_counter_is_exact(client: Client) -> None:
    DeliveryCount.objects.create(kind="webhook", outcome="delivered", count=123_456_789)
    assert metrics(client)['huuva_delivery_tries_total{kind="webhook",outcome="delivered"}'] == 123_456_789


def metrics(client: Client) -> dict[str, float]:
    lines = client.get("/metrics").content.decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }
