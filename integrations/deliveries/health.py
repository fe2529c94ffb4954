"""The health of receivers: failures in a row, rests, and what disables them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from django.db import connection, transaction
from django.utils.translation import gettext as _

from core.mail import alerts_enabled, send_alert
from integrations.deliveries import progress, schedule
from integrations.models import Delivery, Sink
from orders import clock

log = structlog.get_logger(__name__)

# How often the row of a healthy receiver is written.
SUCCESS_PRECISION: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """Whether an attempt succeeded. `failures`: those in a row of its receiver when it was begun."""

    sink_id: str
    ok: bool
    failures: int


# Attempts that were in flight together fail together: they count towards one rest. A longer rest follows only when an
# attempt fails that was begun after the rest before. Else a receiver's restart in a busy second would cost ten minutes.
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


def note(results: Sequence[AttemptResult], now: datetime) -> None:
    """Write the results of attempts, oldest first, in the open transaction."""
    fails: dict[str, int] = {}
    begun: dict[str, int] = {}
    oks: set[str] = set()
    recovered: set[str] = set()
    for result in results:
        sink_id = result.sink_id
        if result.ok:
            fails[sink_id] = 0
            oks.add(sink_id)
            if result.failures >= schedule.FAILURES_TO_REST:
                recovered.add(sink_id)
        else:
            fails[sink_id] = fails.get(sink_id, 0) + 1
            begun[sink_id] = max(result.failures, begun.get(sink_id, 0))
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
            # What waited during the rest is due now.
            cursor.execute(
                "UPDATE integrations_delivery SET next_attempt_at = %s "
                "WHERE sink_id = ANY(%s) AND state = %s AND next_attempt_at > %s",
                [now, sorted(recovered), Delivery.State.WAITING, now],
            )


@transaction.atomic
def disable(sink_id: str, reason: str) -> bool:
    """Send nothing more to this receiver and give up what waits for it; False where it was disabled or deleted before.

    Managers get a mail, where nobody asked for it.
    """
    # Before any row: else we would hold the receiver and wait for its deliveries, and the loop the other way round.
    progress.lock()
    now = clock.now()
    changed = Sink.objects.present().filter(id=sink_id, disabled_at=None)
    if not changed.update(disabled_at=now, disabled_reason=reason):
        return False
    given_up = _give_up(sink_id, now)
    log.warning("sink_disabled", sink=sink_id, reason=str(reason), given_up=given_up)
    if reason not in Sink.Disabled.asked_for():
        _alert(sink_id)
    return True


def enable(sink_id: str) -> bool:
    """Send to this receiver again what happens from now on; replay sends the rest. False where it was not disabled."""
    changed = Sink.objects.present().filter(id=sink_id).exclude(disabled_at=None)
    if not changed.update(
        disabled_at=None, disabled_reason="", failures=0, failing_since=None, retry_at=None
    ):
        return False
    log.info("sink_enabled", sink=sink_id)
    return True


def delete(sink_id: str) -> bool:
    """Hide a receiver from people and the loop; the purge removes it and its deliveries. False where it was deleted."""
    if not Sink.objects.present().filter(id=sink_id).update(deleted_at=clock.now()):
        return False
    log.info("sink_deleted", sink=sink_id)
    return True


def _give_up(sink_id: str, now: datetime) -> int:
    return Delivery.objects.filter(sink_id=sink_id, state=Delivery.State.WAITING).update(
        state=Delivery.State.GIVEN_UP, finished_at=now, leased_until=None, leased_by=""
    )


def _alert(sink_id: str) -> None:
    """Mail the managers after the commit, where mail is set up; the admin's front page shows it in any case."""
    if alerts_enabled():
        transaction.on_commit(partial(_mail, sink_id))


def _mail(sink_id: str) -> None:
    receiver = Sink.objects.filter(pk=sink_id).first()
    if receiver is None:
        return
    send_alert(
        _("Huuva no longer sends to %(name)s") % {"name": receiver.name},
        _(
            "%(name)s was disabled: %(reason)s.\n\n"
            "Find out why, then enable it in admin and replay what it missed."
        )
        % {"name": receiver.name, "reason": receiver.get_disabled_reason_display()},
    )
