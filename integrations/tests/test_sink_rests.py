"""When a sink rests and for how long: by outages, not by how many tries were under way when one began."""

from datetime import timedelta

import pytest

from integrations.deliveries import health, schedule
from integrations.deliveries.health import Heard
from integrations.models import Sink
from integrations.tests.factories import endpoint
from orders import clock

pytestmark = pytest.mark.django_db


def rest_of(sink: Sink, heard: list[Heard]) -> timedelta | None:
    """How long it rests after hearing this."""
    now = clock.now()
    health.note(heard, now)
    sink.refresh_from_db()
    return sink.retry_at - now if sink.retry_at else None


def is_rest(found: timedelta | None, number: int) -> bool:
    most = schedule.RESTS[number]
    return found is not None and most * (1 - schedule.JITTER) <= found <= most * (1 + schedule.JITTER)


def test_thirty_tries_that_fail_together_send_it_to_the_first_rest() -> None:
    sink = Sink.objects.get(pk=endpoint().pk)
    assert is_rest(rest_of(sink, [Heard(sink.pk, False, 0)] * 31), 0)
    # Those that were begun before and end only now.
    assert is_rest(rest_of(sink, [Heard(sink.pk, False, 0)] * 5), 0)


def test_each_try_that_fails_after_a_rest_makes_the_next_rest_longer() -> None:
    sink = Sink.objects.get(pk=endpoint().pk)
    rest_of(sink, [Heard(sink.pk, False, 0)] * 3)
    for number in (1, 2, 3, 3):
        assert is_rest(rest_of(sink, [Heard(sink.pk, False, sink.failures)]), number)


def test_two_failures_in_a_row_are_no_rest_and_a_success_ends_the_count() -> None:
    sink = Sink.objects.get(pk=endpoint().pk)
    assert rest_of(sink, [Heard(sink.pk, False, 0)]) is None
    assert rest_of(sink, [Heard(sink.pk, False, 1)]) is None
    assert rest_of(sink, [Heard(sink.pk, True, 2), Heard(sink.pk, False, 2)]) is None
    assert sink.failures == 1
