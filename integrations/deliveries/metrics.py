"""Samples for /metrics: deliveries that wait, outcomes of attempts, disabled receivers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import connection

from integrations.deliveries import progress
from integrations.deliveries.kinds import known_kinds
from integrations.models import Delivery, DeliveryCount, Sink
from orders import clock, feed

type Sample = tuple[dict[str, str], float]

# From the index of waiting deliveries. Kinds of which nothing waits show 0, so that an alert sees the value fall.
_WAITING: Final = f"""
    SELECT s.kind, count(d.id), min(d.created_at)
    FROM integrations_sink s
    LEFT JOIN integrations_delivery d ON d.sink_id = s.id AND d.state = {Delivery.State.WAITING:d}
    WHERE s.disabled_at IS NULL AND s.deleted_at IS NULL GROUP BY s.kind ORDER BY s.kind
"""  # noqa: S608  (a number of ours)


def waiting_samples() -> Iterable[Sample]:
    return [({"kind": kind}, count) for kind, count, _ in _waiting()]


def oldest_samples() -> Iterable[Sample]:
    now = clock.now()
    return [
        ({"kind": kind}, 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()))
        for kind, _, oldest in _waiting()
    ]


def _waiting() -> list[tuple[str, int, datetime | None]]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return cursor.fetchall()


def unread_samples() -> Iterable[Sample]:
    """Age of the oldest change without deliveries: it grows where no worker runs."""
    if not Sink.objects.present().filter(disabled_at=None).exists():
        return [({}, 0.0)]
    first = feed.first_after(progress.cursor())
    return [({}, 0.0 if first is None else max(0.0, (clock.now() - first).total_seconds()))]


def outcome_samples() -> Iterable[Sample]:
    """Stored sums, which no purge touches. Outcomes that never happened are 0: Prometheus sees no rise from nothing."""
    counts = {(kind, outcome): 0 for kind in known_kinds() for outcome in DeliveryCount.OUTCOMES}
    counts.update({(row.kind, row.outcome): row.count for row in DeliveryCount.objects.all()})
    return [({"kind": kind, "outcome": outcome}, count) for (kind, outcome), count in sorted(counts.items())]


def disabled_samples() -> Iterable[Sample]:
    counts: dict[tuple[str, str], int] = {}
    for kind, reason in (
        Sink.objects.present().exclude(disabled_at=None).values_list("kind", "disabled_reason")
    ):
        counts[kind, reason] = counts.get((kind, reason), 0) + 1
    return [({"kind": kind, "reason": reason}, count) for (kind, reason), count in sorted(counts.items())]
