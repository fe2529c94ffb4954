"""How sinks are doing: failures in a row, rests, and the end of those that fail for days or say that they are gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction

from integrations.deliveries import alerts, progress, schedule
from integrations.models import Delivery, Sink
from orders import clock

log = structlog.get_logger(__name__)

# A sink that does well is written to no more often.
SUCCESS_PRECISION: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What a sink answered to one try. `failures`: those in a row when the try was begun."""

    sink_id: str
    ok: bool
    failures: int


# Tries that were under way together fail together: they may send a sink to its rest, but each longer rest takes the
# failure of a try that was begun after the one before. Else a restart in a busy second would cost ten minutes.
_NOTE: Final = f"""
    UPDATE integrations_sink s SET
        failures = CASE WHEN v.ok OR s.failures < {schedule.FAILURES_TO_REST}
                        THEN least(v.fails + CASE WHEN v.ok THEN 0 ELSE s.failures END, {schedule.FAILURES_TO_REST})
                        ELSE s.failures + (v.begun >= s.failures)::int END,
        failing_since = CASE WHEN v.fails = 0 THEN NULL WHEN v.ok THEN %(now)s
                             ELSE coalesce(s.failing_since, %(now)s) END,
        retry_at = NULL,
        last_success_at = CASE WHEN v.ok THEN %(now)s ELSE s.last_success_at END
    FROM unnest(%(ids)s::text[], %(oks)s::bool[], %(fails)s::int[], %(begun)s::int[]) AS v (id, ok, fails, begun)
    WHERE s.id = v.id AND (v.fails > 0 OR s.failures > 0 OR s.last_success_at IS NULL OR s.last_success_at < %(old)s)
    RETURNING s.id, s.failures, s.failing_since
"""  # noqa: S608  (a number of ours)


def note(heard: Sequence[AttemptResult], now: datetime) -> None:
    """Write what was heard, in the order in which it was heard; for the transaction that is open."""
    fails: dict[str, int] = {}
    begun: dict[str, int] = {}
    oks: set[str] = set()
    recovered: set[str] = set()
    for one in heard:
        fails[one.sink_id] = 0 if one.ok else fails.get(one.sink_id, 0) + 1
        if not one.ok:
            begun[one.sink_id] = max(one.failures, begun.get(one.sink_id, 0))
        if one.ok:
            oks.add(one.sink_id)
            if schedule.rest_after(one.failures) is not None:
                recovered.add(one.sink_id)
    if not fails:
        return
    ids = sorted(fails)
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "ids": ids,
                "oks": [id in oks for id in ids],
                "fails": [fails[id] for id in ids],
                "begun": [begun.get(id, 0) for id in ids],
                "now": now,
                "old": now - SUCCESS_PRECISION,
            },
        )
        rests = []
        for sink_id, failures, failing_since in cursor.fetchall():
            rest = schedule.rest_after(failures)
            if rest is not None:
                rests.append((sink_id, now + rest))
            if failing_since is not None and now - failing_since >= schedule.FAILING_DISABLES:
                disable(sink_id, Sink.Disabled.FAILING)
        if rests:
            cursor.execute(
                "UPDATE integrations_sink s SET retry_at = v.at "
                "FROM unnest(%s::text[], %s::timestamptz[]) AS v (id, at) WHERE s.id = v.id",
                [[id for id, _ in rests], [at for _, at in rests]],
            )
        if recovered:
            # What has waited through the rest need not wait for times that were set during it.
            cursor.execute(
                "UPDATE integrations_delivery SET next_attempt_at = %s "
                "WHERE sink_id = ANY(%s) AND state = 1 AND next_attempt_at > %s",
                [now, sorted(recovered), now],
            )


@transaction.atomic
def disable(sink_id: str, reason: str) -> bool:
    """Tell this sink no more, and give up what waits for it; false where it was disabled or deleted before.

    Where nobody asked for it, a manager is told.
    """
    # Before any row: else we would hold the sink and wait for its deliveries, and the loop the other way round.
    progress.lock()
    now = clock.now()
    changed = Sink.objects.present().filter(id=sink_id, disabled_at=None)
    if not changed.update(disabled_at=now, disabled_reason=reason):
        return False
    given_up = _give_up(sink_id, now)
    log.warning("sink_disabled", sink=sink_id, reason=str(reason), given_up=given_up)
    if reason not in Sink.Disabled.asked_for():
        alerts.tell_disabled(sink_id)
    return True


def enable(sink_id: str) -> bool:
    """Tell this sink again, of what happens from now on; the rest is for replay. False where it was not disabled."""
    changed = Sink.objects.present().filter(id=sink_id).exclude(disabled_at=None)
    if not changed.update(
        disabled_at=None, disabled_reason="", failures=0, failing_since=None, retry_at=None
    ):
        return False
    log.info("sink_enabled", sink=sink_id)
    return True


def delete(sink_id: str) -> bool:
    """Remove a sink: at once from everything that people and the loop see; the purge removes its deliveries later."""
    if not Sink.objects.present().filter(id=sink_id).update(deleted_at=clock.now()):
        return False
    log.info("sink_deleted", sink=sink_id)
    return True


def _give_up(sink_id: str, now: datetime) -> int:
    return Delivery.objects.filter(sink_id=sink_id, state=Delivery.State.WAITING).update(
        state=Delivery.State.GIVEN_UP, finished_at=now, leased_until=None, leased_by=""
    )
