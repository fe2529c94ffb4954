"""Somebody sets the clock back by an hour: webhooks go on, and nobody waits for that hour to come round."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import transaction

from core.valkey_client import ValkeyClient
from integrations import key_cache
from integrations.deliveries import create, schedule
from integrations.deliveries.loop import Loop
from integrations.deliveries.schedule import ClockWatch, shorten_waits
from integrations.models import ApiKey, Delivery, Sink
from integrations.tests import factories as keys
from integrations.tests.factories import endpoint
from integrations.tests.sinks import told, turn_until
from integrations.throttling import CallCounter
from orders import clock, services
from orders.statuses import PREPARING, RECEIVED
from orders.tests import factories
from tests.receiver import Receiver

HOUR = timedelta(hours=1)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    real = clock.now
    return lambda step: monkeypatch.setattr(clock, "now", lambda: real() + step)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("open_network")
def test_webhooks_go_on_when_the_clock_is_set_back(
    receiver: Receiver, loop: Loop, set_clock: Callable[[timedelta], None]
) -> None:
    endpoint(receiver.url())
    before = factories.order(RECEIVED)
    turn_until(loop, lambda: receiver.requests)
    set_clock(-HOUR)
    after = factories.order(RECEIVED)
    services.move_order(before.id, PREPARING, actor="key:wolt")

    turn_until(loop, lambda: len(receiver.requests) >= 4)
    assert {one.answered for one in receiver.requests} == {"ok"}
    assert sorted(told(receiver.requests)) == sorted(
        [("order.created", 1), ("order.created", 1), ("order.status_changed", 3), ("item.status_changed", 4)]
    )
    assert set(Delivery.objects.values_list("order_id", flat=True)) == {before.id, after.id}

    # And when it is right again.
    set_clock(timedelta(0))
    services.move_order(after.id, PREPARING, actor="key:wolt")
    turn_until(loop, lambda: len(receiver.requests) >= 6)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("open_network")
@pytest.mark.parametrize("freed", ["by a clock set forward", "by a replay"])
def test_delivery_in_flight_is_not_sent_again(
    loop: Loop, set_clock: Callable[[timedelta], None], freed: str
) -> None:
    held = threading.Event()

    def answer(path: str, number: int, body: bytes) -> str:
        held.wait(10)
        return "ok"

    with Receiver(answer) as receiver:
        made = endpoint(receiver.url())
        order = factories.order(RECEIVED)
        turn_until(loop, lambda: loop.in_flight)
        if freed == "by a replay":
            with transaction.atomic():
                create.repeat(made.pk, [(order.id, 1)], [])
        else:
            set_clock(HOUR)
        for _ in range(5):
            loop.turn()
        held.set()
        turn_until(loop, lambda: Delivery.objects.filter(state=Delivery.State.DELIVERED).exists())
        assert told(receiver.requests) == [("order.created", 1)]


@pytest.mark.django_db(transaction=True)
def test_a_webhook_made_behind_a_backlog_hears_nothing_of_before() -> None:
    endpoint()
    create.make_deliveries()
    for _ in range(3):
        factories.order(RECEIVED)
    late = endpoint()

    while create.make_deliveries(page_size=1)[1]:
        pass
    factories.order(RECEIVED)
    create.make_deliveries()

    assert Delivery.objects.filter(sink_id=late.pk).count() == 1


@pytest.mark.django_db
def test_no_try_waits_longer_than_its_pause() -> None:
    sink = Sink.objects.get(pk=endpoint().pk)
    now = clock.now()
    ahead = now + HOUR
    waiting = [
        Delivery.objects.create(
            sink=sink, order_id=f"o{attempts}", sequence=1, event_type="order.created", at=now,
            attempts=attempts, next_attempt_at=ahead,
        )
        for attempts in range(len(schedule.RETRIES) + 1)
    ]  # fmt: skip
    delivered = Delivery.objects.create(
        sink=sink, order_id="done", sequence=1, event_type="order.created", at=now,
        state=Delivery.State.DELIVERED, next_attempt_at=ahead,
    )  # fmt: skip

    shorten_waits(now)

    planned = {one.attempts: Delivery.objects.get(pk=one.pk).next_attempt_at for one in waiting}
    # The pauses of an hour and more may well lie so far ahead.
    assert planned == {attempts: now if attempts < 5 else ahead for attempts in planned}
    delivered.refresh_from_db()
    assert delivered.next_attempt_at == ahead


@pytest.mark.django_db
@pytest.mark.parametrize(("rests", "rests_on"), [(timedelta(minutes=9), True), (HOUR, False)])
def test_no_receiver_rests_longer_than_it_was_sent_to(rests: timedelta, rests_on: bool) -> None:
    sink = Sink.objects.get(pk=endpoint().pk)
    now = clock.now()
    Sink.objects.update(retry_at=now + rests)

    shorten_waits(now)

    sink.refresh_from_db()
    assert sink.retry_at == (now + rests if rests_on else now)


def test_a_step_back_is_noticed_and_a_step_forward_is_none() -> None:
    watch, now = ClockWatch(), clock.now()
    assert watch.went_back(now)  # nobody knows what was before this process
    watch.note(now)
    assert not watch.went_back(now)
    assert watch.went_back(now - HOUR)
    assert not watch.went_back(now + HOUR)


@pytest.fixture
def rate_name():
    name = f"test-{uuid4().hex}"
    yield name
    redis.Redis.from_url(settings.REDIS_URL).delete(f"huuva:rate:{name}")


def test_no_key_is_refused_for_the_hour_that_the_clock_was_set_back(rate_name: str) -> None:
    counter = CallCounter(ValkeyClient(settings.REDIS_URL))
    client = redis.Redis.from_url(settings.REDIS_URL)
    later = int((time.time() + HOUR.total_seconds()) * 1000)
    client.rpush(f"huuva:rate:{rate_name}", *[later] * 5)

    answer = counter.count(rate_name, 5)

    assert answer is not None
    assert (answer.retry_after, answer.remaining) == (0, 4)


@pytest.mark.django_db
def test_the_last_use_of_a_key_is_written_after_the_clock_was_set_back() -> None:
    key, _ = keys.api_key()
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=clock.now() + HOUR)

    entry = key_cache._load(key.prefix, 0.0)

    assert entry is not None
    assert entry.last_used_is_old
