"""What deliveries survive: events that can't be put into words, clocks that are set back, replays at the wrong moment,
managers who disable a receiver while it is being sent to."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection, connections, transaction

from integrations import deliveries
from integrations.deliveries import Message, PendingDelivery, create, health, progress, replay
from integrations.deliveries.loop import Loop
from integrations.deliveries.metrics import oldest_samples
from integrations.deliveries.sending import Sender
from integrations.models import Delivery, DeliveryProgress, LateNote, Sink
from integrations.models.webhooks import KIND
from integrations.tests.factories import endpoint
from integrations.tests.sinks import no_waiting, turn_until, work_off
from integrations.webhooks.payloads import WebhookRenderer
from orders import services
from orders.statuses import READY, RECEIVED
from orders.tests import factories
from tests.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("open_network")]


class Poisoned(WebhookRenderer):
    """Can't put one order's events into words."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id

    def render(self, deliveries: Sequence[PendingDelivery]) -> Mapping[int, Message | None]:
        if any(delivery.order_id == self.order_id for delivery in deliveries):
            raise ValueError(self.order_id)
        return super().render(deliveries)


@pytest.fixture
def poison() -> Iterator[str]:
    order_id = "poison"
    deliveries.register(KIND, Poisoned(order_id))
    yield order_id
    deliveries.register(KIND, WebhookRenderer())


def test_an_event_that_can_not_be_rendered_holds_up_its_own_order_only(
    receiver: Receiver, loop: Loop, poison: str
) -> None:
    endpoint(receiver.url("/one"))
    endpoint(receiver.url("/two"))
    orders = [factories.order(RECEIVED, id=poison).id, *(factories.order(RECEIVED).id for _ in range(7))]
    create.make_deliveries()
    work_off(loop)
    heard = sorted((one.path, json.loads(one.body)["data"]["orderId"]) for one in receiver.requests)
    assert heard == sorted((path, order) for path in ("/one", "/two") for order in orders if order != poison)
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    assert {(one.order_id, one.log[-1]["error"]) for one in waiting} == {(poison, "not_rendered")}


def test_a_fault_of_ours_is_not_held_against_the_receiver(
    receiver: Receiver, loop: Loop, poison: str
) -> None:
    endpoint(receiver.url())
    factories.order(RECEIVED, id=poison)
    for _ in range(4):
        work_off(loop)
        no_waiting()
    sink = Sink.objects.get()
    assert (sink.failures, sink.failing_since, sink.retry_at) == (0, None, None)
    assert Delivery.objects.get().attempts >= 4


def test_who_takes_one_at_a_time_gets_the_next_as_soon_as_one_went_well(receiver: Receiver) -> None:
    endpoint(receiver.url())
    for _ in range(20):
        factories.order(RECEIVED)
    create.make_deliveries()
    assert progress.hold("me")
    with Sender() as sender:
        # The loop looks around by itself only after all is over.
        loop = Loop("me", sender, poll_seconds=300)
        turn_until(loop, lambda: not Delivery.objects.filter(state=Delivery.State.WAITING).exists())
    assert len(receiver.requests) == 20


def test_a_clock_set_back_does_not_keep_the_loop_from_a_new_process() -> None:
    assert progress.hold("killed")
    DeliveryProgress.objects.update(held_until=datetime.now(UTC) + timedelta(hours=1))
    assert progress.hold("the next")
    assert not progress.hold("the one after that")


def test_a_replay_while_the_feed_is_held_up_sends_nothing_too_early(receiver: Receiver, loop: Loop) -> None:
    hook = endpoint(receiver.url())
    work_off(loop)
    with psycopg.connect(**connection.get_connection_params()) as idle:
        # A writer that sits idle: the feed can't be read beyond it.
        idle.execute("SELECT pg_current_xact_id()")
        order = factories.order(RECEIVED)
        since = datetime.now(UTC)
        services.move_item(order.id, "P0", READY, actor="key:test")
        assert replay.replay_since(hook.id, since) == 0
        assert replay.replay_order(hook.id, order.id) == 0
        work_off(loop)
        assert receiver.requests == []
    work_off(loop)
    sequences = [json.loads(one.body)["sequence"] for one in receiver.requests]
    assert sequences == sorted(sequences)
    assert sequences[0] == 1
    assert replay.replay_order(hook.id, order.id) == len(sequences)


def test_a_replay_counts_only_what_its_webhook_may_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MAX_ROWS", 2)
    since = datetime.now(UTC)
    hook = endpoint(kitchen=factories.kitchen("main"), channel="wolt")
    for kitchen, channel in (("main", "wolt"), ("main", "own"), ("other", "wolt"), ("other", "own")):
        order = factories.order(RECEIVED, of=factories.kitchen(kitchen), channel=channel)
        LateNote.objects.create(order_id=order.id, sequence=2, noted_at=datetime.now(UTC))
    create.make_deliveries()
    Delivery.objects.all().delete()
    assert replay.replay_since(hook.id, since) == 2
    assert set(Delivery.objects.values_list("event_type", flat=True)) == {
        "order.created",
        "order.late",
    }


def test_what_is_replayed_waits_from_then_on(receiver: Receiver, loop: Loop) -> None:
    hook = endpoint(receiver.url())
    order = factories.order(RECEIVED)
    work_off(loop)
    for again in (
        lambda: replay.replay_delivery(Delivery.objects.get()),
        lambda: replay.replay_order(hook.id, order.id),
    ):
        Delivery.objects.update(created_at=datetime.now(UTC) - timedelta(days=3))
        again()
        assert max(age for _, age in oldest_samples()) < 3600


def test_disabling_a_receiver_waits_for_the_loop_before_it_locks() -> None:
    """Else each could hold what the other waits for: the receiver, and deliveries to it."""
    hook = endpoint()
    factories.order(RECEIVED)
    create.make_deliveries()
    failed: list[BaseException] = []

    def disable() -> None:
        try:
            health.disable(hook.id, Sink.Disabled.BY_HAND)
        except BaseException as failure:  # noqa: BLE001  (told below)
            failed.append(failure)
        finally:
            connections.close_all()

    thread = threading.Thread(target=disable)
    with transaction.atomic():
        progress.lock()
        thread.start()
        until_somebody_waits()
        free = Sink.objects.select_for_update(nowait=True, of=("self",)).filter(pk=hook.id)
        assert [sink.disabled_at for sink in free] == [None]
    thread.join(10)
    assert not failed
    assert not thread.is_alive()
    assert Delivery.objects.get().state == Delivery.State.GIVEN_UP
    assert Sink.objects.get().disabled_reason == Sink.Disabled.BY_HAND


def until_somebody_waits() -> None:
    end = time.monotonic() + 60
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
            )
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < end, "nobody waits"


def test_many_receivers_make_pages_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create, "MAX_ROWS", 6)
    for _ in range(3):
        endpoint()
    for _ in range(4):
        factories.order(RECEIVED)
    made = []
    while True:
        count, more = create.make_deliveries()
        made.append(count)
        if not more:
            break
    assert max(made) <= 6
    assert sum(made) == 12
