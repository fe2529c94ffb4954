"""What came of the tries: written in batches, with the health of the sinks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import structlog
from django.db import connection, transaction

from integrations.deliveries import health, progress, schedule
from integrations.deliveries.claim import Claimed
from integrations.deliveries.kinds import renderer_of
from integrations.deliveries.redact import ANSWER_UNWANTED
from integrations.deliveries.sending import Outcome
from integrations.models import Delivery, Sink
from orders import clock
from orders.statements import without_prepared_statements

log = structlog.get_logger(__name__)

# Tries that the log of a delivery keeps.
LOG_KEPT: Final = 20
# The error of a try that came to nothing by a fault of ours: its sink was not even asked.
NOT_RENDERED: Final = "not_rendered"
State = Delivery.State


@dataclass(frozen=True, slots=True)
class Result:
    """One try with its outcome; None: there was nothing to tell."""

    claimed: Claimed
    outcome: Outcome | None

    @property
    def ok(self) -> bool:
        return self.outcome is None or self.outcome.ok


_FINISH: Final = f"""
    UPDATE integrations_delivery d SET
        state = v.state, attempts = d.attempts + 1, next_attempt_at = coalesce(v.next_at, d.next_attempt_at),
        leased_until = NULL, leased_by = '', finished_at = v.finished_at, last_status = v.status, last_ms = v.ms,
        log = CASE WHEN v.entry IS NULL THEN d.log
                   WHEN jsonb_array_length(d.log) >= {LOG_KEPT} THEN d.log - 0
                   ELSE d.log END
              || CASE WHEN v.entry IS NULL THEN '[]'
                      WHEN d.leased_until = %(unwanted)s THEN v.entry || '{{"answer": ""}}'
                      ELSE v.entry END
    FROM unnest(%(ids)s::bigint[], %(states)s::int[], %(nexts)s::timestamptz[], %(finished)s::timestamptz[],
                %(statuses)s::int[], %(mss)s::int[], %(entries)s::text[]::jsonb[])
         AS v (id, state, next_at, finished_at, status, ms, entry)
    WHERE d.id = v.id AND d.state = {State.WAITING:d}
      AND (d.leased_by = %(me)s OR v.state = {State.DELIVERED:d})
    RETURNING d.id, v.state
"""  # noqa: S608
_COUNT: Final = """
    INSERT INTO integrations_deliverycount (kind, outcome, count)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])
    ON CONFLICT (kind, outcome) DO UPDATE SET count = integrations_deliverycount.count + excluded.count
"""


def store(me: str, results: Sequence[Result]) -> None:
    """Write the results in one transaction. A failure whose lease another run has taken over counts for nothing."""
    if not results:
        return
    now = clock.now()
    rows = {result.claimed.due.id: _row(result, now) for result in results}
    with transaction.atomic():
        # Deliveries and their sinks are written together here and by who disables or replays: one after the other.
        progress.lock()
        with connection.cursor() as cursor:
            columns = list(zip(*(rows[id] for id in sorted(rows)), strict=True))
            names = ("ids", "states", "nexts", "finished", "statuses", "mss", "entries")
            parameters: dict[str, Any] = {
                name: list(column) for name, column in zip(names, columns, strict=True)
            }
            with without_prepared_statements():
                cursor.execute(_FINISH, {**parameters, "me": me, "unwanted": ANSWER_UNWANTED})
            stored = dict(cursor.fetchall())
        mine = [result for result in results if result.claimed.due.id in stored]
        asked = [one for one in mine if one.outcome is not None and one.outcome.error != NOT_RENDERED]
        health.note([_attempt_result(result) for result in asked], now)
        _count((result.claimed.kind, _word(result, stored)) for result in mine)
        for sink_id in _gone(mine):
            health.disable(sink_id, Sink.Disabled.GONE)
    for result in mine:
        if stored[result.claimed.due.id] == State.GIVEN_UP:
            due = result.claimed.due
            log.warning("delivery_given_up", sink=due.sink_id, order=due.order_id, event_type=due.event_type)


def _row(result: Result, now: datetime) -> tuple[Any, ...]:
    due, outcome = result.claimed.due, result.outcome
    if outcome is None:
        return due.id, int(State.SKIPPED), None, now, None, None, None
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
        return due.id, int(State.DELIVERED), None, now, outcome.status, outcome.ms, entry
    pause = schedule.pause_after(due.attempt)
    if pause is None:
        return due.id, int(State.GIVEN_UP), None, now, outcome.status, outcome.ms, entry
    return due.id, int(State.WAITING), now + pause, None, outcome.status, outcome.ms, entry


def _attempt_result(result: Result) -> health.AttemptResult:
    return health.AttemptResult(result.claimed.due.sink_id, result.ok, result.claimed.failures)


def _word(result: Result, stored: dict[int, int]) -> str:
    if result.outcome is None:
        return "skipped"
    if result.outcome.ok:
        return "delivered"
    return "given_up" if stored[result.claimed.due.id] == State.GIVEN_UP else "failed"


def _count(words: Iterable[tuple[str, str]]) -> None:
    counts = sorted(Counter(words).items())
    if not counts:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            [[kind for (kind, _), _ in counts], [word for (_, word), _ in counts], [n for _, n in counts]],
        )


def _gone(results: Iterable[Result]) -> list[str]:
    """Sinks that said they want no more."""
    found = set()
    for result in results:
        renderer = renderer_of(result.claimed.kind)
        if result.outcome is not None and renderer and result.outcome.status in renderer.gone:
            found.add(result.claimed.due.sink_id)
    return sorted(found)
