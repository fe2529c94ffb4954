"""The results of attempts: written in batches, with the health of the receivers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import structlog
from django.db import connection, transaction

from integrations.deliveries import health, progress, schedule
from integrations.deliveries.kinds import PendingDelivery, renderer_of
from integrations.deliveries.purging import ANSWER_UNWANTED
from integrations.deliveries.sending import Outcome
from integrations.models import Delivery, Sink
from orders import clock
from orders.statements import without_prepared_statements

log = structlog.get_logger(__name__)

# Attempts that the log of a delivery holds.
LOG_LENGTH: Final = 20
# The error of an attempt that we could not render: its receiver was not asked.
NOT_RENDERED: Final = "not_rendered"
State = Delivery.State


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt with its outcome; None: there was nothing to send."""

    delivery: PendingDelivery
    outcome: Outcome | None

    @property
    def ok(self) -> bool:
        return self.outcome is None or self.outcome.ok


_FINISH: Final = f"""
    UPDATE integrations_delivery d SET
        state = v.state, attempts = d.attempts + 1, next_attempt_at = coalesce(v.next_at, d.next_attempt_at),
        leased_until = NULL, leased_by = '', finished_at = v.finished_at, last_status = v.status, last_ms = v.ms,
        log = CASE WHEN v.entry IS NULL THEN d.log
                   WHEN jsonb_array_length(d.log) >= {LOG_LENGTH} THEN d.log - 0
                   ELSE d.log END
              || CASE WHEN v.entry IS NULL THEN '[]'
                      WHEN d.leased_until = %(unwanted)s THEN v.entry || '{{"answer": ""}}'
                      ELSE v.entry END
    FROM unnest(%(ids)s::bigint[], %(states)s::int[], %(nexts)s::timestamptz[], %(finished)s::timestamptz[],
                %(statuses)s::int[], %(mss)s::int[], %(entries)s::text[]::jsonb[])
         AS v (id, state, next_at, finished_at, status, ms, entry)
    WHERE d.id = v.id AND d.state = {State.WAITING:d}
      AND (d.leased_by = %(run)s OR v.state = {State.DELIVERED:d})
    RETURNING d.id, v.state
"""  # noqa: S608
_COUNT: Final = """
    INSERT INTO integrations_deliverycount (kind, outcome, count)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])
    ON CONFLICT (kind, outcome) DO UPDATE SET count = integrations_deliverycount.count + excluded.count
"""


def store(run_id: str, results: Sequence[Result]) -> None:
    """Write the results in one transaction. A failure whose lease another run has taken over counts for nothing."""
    if not results:
        return
    now = clock.now()
    rows = {result.delivery.id: _row(result, now) for result in results}
    with transaction.atomic():
        # Deliveries and their receivers are written together here, by a disable and by a replay: one at a time.
        progress.lock()
        with connection.cursor() as cursor:
            columns = list(zip(*(rows[id] for id in sorted(rows)), strict=True))
            names = ("ids", "states", "nexts", "finished", "statuses", "mss", "entries")
            parameters: dict[str, Any] = {
                name: list(column) for name, column in zip(names, columns, strict=True)
            }
            with without_prepared_statements():
                cursor.execute(_FINISH, {**parameters, "run": run_id, "unwanted": ANSWER_UNWANTED})
            states = dict(cursor.fetchall())
        stored = [result for result in results if result.delivery.id in states]
        health.note(
            [
                health.AttemptResult(result.delivery.sink_id, result.ok, result.delivery.failures)
                for result in stored
                if result.outcome is not None and result.outcome.error != NOT_RENDERED
            ],
            now,
        )
        _count((result.delivery.kind, _outcome_name(result, states)) for result in stored)
        for sink_id in _gone(stored):
            health.disable(sink_id, Sink.Disabled.GONE)
    for result in stored:
        delivery = result.delivery
        if states[delivery.id] == State.GIVEN_UP:
            log.warning(
                "delivery_given_up",
                sink=delivery.sink_id,
                order=delivery.order_id,
                event_type=delivery.event_type,
            )


def _row(result: Result, now: datetime) -> tuple[Any, ...]:
    delivery, outcome = result.delivery, result.outcome
    if outcome is None:
        return delivery.id, int(State.SKIPPED), None, now, None, None, None
    entry = orjson.dumps(
        {
            "at": now,
            "status": outcome.status,
            "ms": outcome.ms,
            "error": outcome.error,
            "answer": outcome.answer,
        },
        option=orjson.OPT_UTC_Z,
    ).decode()
    if outcome.ok:
        return delivery.id, int(State.DELIVERED), None, now, outcome.status, outcome.ms, entry
    pause = schedule.pause_after(delivery.attempt)
    if pause is None:
        return delivery.id, int(State.GIVEN_UP), None, now, outcome.status, outcome.ms, entry
    return delivery.id, int(State.WAITING), now + pause, None, outcome.status, outcome.ms, entry


def _outcome_name(result: Result, states: dict[int, int]) -> str:
    """One of DeliveryCount.OUTCOMES."""
    if result.outcome is None:
        return "skipped"
    if result.outcome.ok:
        return "delivered"
    return "given_up" if states[result.delivery.id] == State.GIVEN_UP else "failed"


def _count(outcomes: Iterable[tuple[str, str]]) -> None:
    counts = sorted(Counter(outcomes).items())
    if not counts:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            [[kind for (kind, _), _ in counts], [name for (_, name), _ in counts], [n for _, n in counts]],
        )


def _gone(results: Iterable[Result]) -> list[str]:
    """Receivers that answered that they are gone."""
    gone = set()
    for result in results:
        renderer = renderer_of(result.delivery.kind)
        if result.outcome is not None and renderer and result.outcome.status in renderer.gone:
            gone.add(result.delivery.sink_id)
    return sorted(gone)
