"""When a receiver rests and for how long: by outages, not by how many attempts were in flight when one began."""

from datetime import timedelta

import pytest

from integrations.deliveries import health, schedule
from integrations.deliveries.health import AttemptResult
from integrations.models import Sink
from integrations.tests.factories import endpoint
from orders import clock

pytestmark = pytest.mark.django_db


def rest_of(sink: Sink, results: list[AttemptResult]) -> timedelta | None:
    """How long it rests after these results."""
    now = clock.now()
    health.note(results, now)
    sink.refresh_from_db()
    return sink.retry_at - now if sink.retry_at else None


def is_rest(rest: timedelta | None, number: int) -> bool:
    planned = schedule.RESTS[number]
    return rest is not None and planned * (1 - schedule.JITTER) <= rest <= planned * (1 + schedule.JITTER)


def test_thirty_attempts_that_fail_together_lead_to_the_first_rest() -> None:
    sink = Sink.objects.get(pk=endpoint().pk)
    assert is_rest(rest_of(sink, [AttemptResult(sink.pk, False, 0)] * 31), 0)
    # Those that were begun before and end only now.
    assert is_rest(rest_of(sink, [AttemptResult(sink.pk, False, 0)] * 5), 0)


def test_each_failure_after_a_rest_makes_the_next_rest_longer() -> None:
    sink = Sink.objects.get(pk=endpoint().pk)
    rest_of(sink, [AttemptResult(sink.pk, False, 0)] * 3)
    for number in (1, 2, 3, 3):
        assert is_rest(rest_of(sink, [AttemptResult(sink.pk, False, sink.failures)]), number)


def test_two_failures_in_a_row_are_no_rest_and_a_success_ends_the_count() -> None:
    sink = Sink.objects.get(pk=endpoint().pk)
    assert rest_of(sink, [AttemptResult(sink.pk, False, 0)]) is None
    assert rest_of(sink, [AttemptResult(sink.pk, False, 1)]) is None
    assert rest_of(sink, [AttemptResult(sink.pk, True, 2), AttemptResult(sink.pk, False, 2)]) is None
    assert sink.failures == 1
