"""Receivers that fail, hang, say that they are gone: when they are tried again, and when no more."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.deliveries import loop as loops
from integrations.deliveries import progress
from integrations.deliveries.loop import Loop
from integrations.models import Delivery, Sink
from integrations.tests.factories import endpoint
from integrations.tests.sinks import no_waiting, told, work_off
from orders import services
from orders.statuses import PREPARING, RECEIVED
from orders.tests import factories
from tests.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("open_network")]


def test_a_failed_event_is_tried_again_and_holds_up_only_its_own_order(
    receiver: Receiver, loop: Loop
) -> None:
    endpoint(receiver.url())
    first = factories.order(RECEIVED)
    services.move_order(first.id, PREPARING, actor="key:test")
    broken = first.id.encode()
    receiver.answer = lambda path, number, body: "fail" if broken in body else "ok"
    second = factories.order(RECEIVED)
    work_off(loop)
    assert told(receiver.requests) == [("order.created", 1)]
    assert json.loads(receiver.requests[-1].body)["data"]["orderId"] in (first.id, second.id)
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    assert {delivery.order_id for delivery in waiting} == {first.id}
    assert [delivery.attempts for delivery in waiting.order_by("sequence")] == [1, 0, 0]
    receiver.answer = lambda path, number, body: "ok"
    no_waiting()
    work_off(loop)
    of_first = [one for one in receiver.requests if broken in one.body and one.answered == "ok"]
    assert told(of_first) == [("order.created", 1), ("order.status_changed", 3), ("item.status_changed", 4)]
    tries = Delivery.objects.get(order_id=first.id, sequence=1).log
    assert [(entry["status"], entry["answer"]) for entry in tries] == [(500, "broken"), (204, "")]


def test_a_try_has_the_same_id_every_time(receiver: Receiver, loop: Loop) -> None:
    receiver.answer = lambda path, number, body: "ok" if number > 2 else "fail"
    endpoint(receiver.url())
    factories.order(RECEIVED)
    for _ in range(3):
        work_off(loop)
        no_waiting()
    assert len(receiver.requests) == 3
    assert len({one.headers["webhook-id"] for one in receiver.requests}) == 1
    assert {json.loads(one.body)["id"] for one in receiver.requests} == {
        receiver.requests[0].headers["webhook-id"]
    }


def test_after_eight_tries_an_event_is_given_up_and_the_next_goes_out(receiver: Receiver, loop: Loop) -> None:
    receiver.answer = lambda path, number, body: "ok" if number > 8 else "fail"
    endpoint(receiver.url())
    order = factories.order(RECEIVED)
    services.move_order(order.id, PREPARING, actor="key:test")
    for _ in range(9):
        work_off(loop)
        no_waiting()
    assert Delivery.objects.get(sequence=1).state == Delivery.State.GIVEN_UP
    assert told(receiver.requests) == [("order.status_changed", 3), ("item.status_changed", 4)]


def test_retries_follow_the_schedule(receiver: Receiver, loop: Loop) -> None:
    receiver.answer = lambda path, number, body: "fail"
    endpoint(receiver.url())
    factories.order(RECEIVED)
    pauses = []
    for _ in range(7):
        work_off(loop)
        delivery = Delivery.objects.get()
        tried = datetime.fromisoformat(delivery.log[-1]["at"])
        pauses.append((delivery.next_attempt_at - tried).total_seconds())
        no_waiting()
    for pause, wanted in zip(pauses, (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600), strict=True):
        assert 0.8 * wanted <= pause <= 1.2 * wanted


def test_who_says_gone_is_disabled_and_waits_for_nothing(receiver: Receiver, loop: Loop) -> None:
    receiver.answer = lambda path, number, body: "gone"
    gone = endpoint(receiver.url())
    order = factories.order(RECEIVED)
    services.move_order(order.id, PREPARING, actor="key:test")
    work_off(loop)
    gone.refresh_from_db()
    assert gone.disabled_reason == Sink.Disabled.GONE
    assert len(receiver.requests) == 1
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.GIVEN_UP}
    factories.order(RECEIVED)
    work_off(loop)
    assert len(receiver.requests) == 1


def test_who_fails_for_five_days_is_disabled_and_a_manager_is_told(
    receiver: Receiver, loop: Loop, settings: object, mailoutbox: list[object]
) -> None:
    settings.HUUVA_ALERT_EMAILS = ["manager@example.com"]  # type: ignore[attr-defined]
    settings.HUUVA_SMTP_URL = "smtp://mail.example.com"  # type: ignore[attr-defined]
    receiver.answer = lambda path, number, body: "fail"
    failing = endpoint(receiver.url())
    factories.order(RECEIVED)
    work_off(loop)
    failing.refresh_from_db()
    assert failing.active and failing.failures == 1
    Sink.objects.update(failing_since=datetime.now(UTC) - timedelta(days=5, seconds=1))
    no_waiting()
    work_off(loop)
    failing.refresh_from_db()
    assert failing.disabled_reason == Sink.Disabled.FAILING
    assert len(mailoutbox) == 1


def test_two_loops_never_run_at_once() -> None:
    assert progress.hold("the other")
    assert not loops.run(lambda: True)
    progress.release("the other")
    assert loops.run(lambda: True)
    assert progress.hold("the next")


def test_a_success_ends_the_days_of_failure(receiver: Receiver, loop: Loop) -> None:
    receiver.answer = lambda path, number, body: "ok" if number > 1 else "fail"
    failing = endpoint(receiver.url())
    factories.order(RECEIVED)
    work_off(loop)
    no_waiting()
    work_off(loop)
    failing.refresh_from_db()
    assert (failing.failures, failing.failing_since) == (0, None)


def test_a_receiver_that_fails_rests_and_is_tried_with_one_delivery(receiver: Receiver, loop: Loop) -> None:
    receiver.answer = lambda path, number, body: "fail"
    failing = endpoint(receiver.url())
    for _ in range(6):
        factories.order(RECEIVED)
    work_off(loop)
    failing.refresh_from_db()
    assert failing.failures >= 3 and failing.retry_at is not None
    before = len(receiver.requests)
    no_waiting()
    work_off(loop)
    assert len(receiver.requests) == before + 1
    receiver.answer = lambda path, number, body: "ok"
    Sink.objects.update(retry_at=None)
    Delivery.objects.filter(attempts=0).update(next_attempt_at=datetime.now(UTC))
    Delivery.objects.filter(attempts__gt=0).update(next_attempt_at=datetime.now(UTC) + timedelta(days=1))
    work_off(loop)
    # The first success lets all go that had to wait for tomorrow.
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.DELIVERED}


@pytest.mark.parametrize(
    "answer, status, error",
    [("moved", 302, ""), ("drop", None, "disconnected"), ("garbage", None, "bad_answer"), ("fail", 500, "")],
)
def test_whatever_is_no_success_is_a_failure(
    receiver: Receiver, loop: Loop, answer: str, status: int | None, error: str
) -> None:
    receiver.answer = lambda path, number, body: answer
    endpoint(receiver.url())
    factories.order(RECEIVED)
    work_off(loop)
    delivery = Delivery.objects.get()
    assert delivery.state == Delivery.State.WAITING
    assert (delivery.log[0]["status"], delivery.log[0]["error"]) == (status, error)
    assert [one.path for one in receiver.requests] == ["/hooks"]
