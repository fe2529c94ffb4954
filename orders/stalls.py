"""Find the database session that stalls the change feed by holding a transaction id, and end it where configured.

It may belong to anybody, in any database of the server. Of its query only the age is shown: the text may contain
customers' data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import Error, connection, transaction
from django.utils.translation import gettext as _

from core.mail import send_alert
from orders import feed

log = structlog.get_logger(__name__)

# The feed waits shortly for each transaction. Ours never take that long: they are ended after 15 s idle.
STALLED_SECONDS: Final = 30.0
# One mail for each session, however long it stays.
MAILED_SECONDS: Final = 24 * 3600

# Only the oldest open transaction stalls the feed. Without membership in pg_monitor, ages and kinds are hidden.
_OLDEST: Final = """
    SELECT pid, usename, datname, application_name, client_addr::text, state, backend_xid::text,
           extract(epoch FROM clock_timestamp() - xact_start)::float,
           extract(epoch FROM clock_timestamp() - query_start)::float
    FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
      AND coalesce(backend_type, 'client backend') = 'client backend'
    ORDER BY age(backend_xid) DESC LIMIT 1
"""
_PREPARED: Final = """
    SELECT gid, owner, database, extract(epoch FROM clock_timestamp() - prepared)::float
    FROM pg_prepared_xacts ORDER BY age(transaction) DESC LIMIT 1
"""
# Checked in the same statement: meanwhile the pid may be another session's, or its transaction another one.
_END: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_xid::text = %s
"""


@dataclass(frozen=True, slots=True)
class Staller:
    """The session whose transaction is the oldest. None: hidden from us."""

    pid: int
    user: str | None
    database: str | None
    application: str | None
    client: str | None
    state: str | None
    transaction_id: str
    transaction_seconds: float | None
    query_seconds: float | None

    def facts(self) -> dict[str, object]:
        """For the log."""
        return {
            "pid": self.pid,
            "user": self.user,
            "database": self.database,
            "application": self.application,
            "client": self.client,
            "state": self.state,
            "transaction_seconds": _rounded(self.transaction_seconds),
            "query_seconds": _rounded(self.query_seconds),
        }


def watch() -> float:
    """Log who stalls the feed, send one mail, and end that session where the settings say so; returns for how many
    seconds the feed has been stalled, 0 where it is not."""
    seconds = feed.lag_seconds()
    if seconds <= STALLED_SECONDS:
        return 0.0
    staller = oldest_session()
    if staller is None:
        log.error("feed_stalled", seconds=round(seconds), **_prepared_transaction())
        return seconds
    log.error("feed_stalled", seconds=round(seconds), **staller.facts())
    ended = False
    if 0 < settings.HUUVA_END_STALLING_SESSIONS_SECONDS <= seconds:
        ended = end(staller)
    if cache.add(f"feed-staller-{staller.pid}-{staller.transaction_id}", 1, timeout=MAILED_SECONDS):
        _mail(staller, seconds, ended=ended)
    return seconds


def oldest_session() -> Staller | None:
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        row = cursor.fetchone()
    return Staller(*row) if row else None


def end(staller: Staller) -> bool:
    """End that session, if it still has that transaction; false where that failed or is not allowed."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_END, [staller.pid, staller.transaction_id])
            row = cursor.fetchone()
    except Error as error:
        # This needs that session's role, or pg_signal_backend.
        log.error("feed_staller_not_ended", pid=staller.pid, user=staller.user, error=type(error).__name__)
        return False
    if row is None or not row[0]:
        return False
    log.warning("feed_staller_ended", pid=staller.pid, user=staller.user, application=staller.application)
    return True


def _prepared_transaction() -> dict[str, object]:
    """The oldest prepared transaction, which no session holds."""
    with connection.cursor() as cursor:
        cursor.execute(_PREPARED)
        row = cursor.fetchone()
    if row is None:
        return {}
    gid, owner, database, seconds = row
    return {"prepared": gid, "user": owner, "database": database, "transaction_seconds": _rounded(seconds)}


def _mail(staller: Staller, seconds: float, *, ended: bool) -> None:
    unknown = _("unknown")
    lines = [
        _("For %(seconds)d s a database session has held back webhooks, events and figures.")
        % {"seconds": seconds},
        "",
        f"pid: {staller.pid}",
        _("User: %(name)s") % {"name": staller.user or unknown},
        _("Application: %(name)s") % {"name": staller.application or unknown},
        _("Address: %(name)s") % {"name": staller.client or unknown},
        _("State: %(name)s") % {"name": staller.state or unknown},
        _("Age of its transaction: %(age)s") % {"age": _age(staller.transaction_seconds) or unknown},
        _("Age of its query: %(age)s") % {"age": _age(staller.query_seconds) or unknown},
        "",
        _("It was ended.")
        if ended
        else _("End it if it is forgotten: SELECT pg_terminate_backend(%(pid)d);") % {"pid": staller.pid},
    ]
    send_alert(_("Huuva's change feed stands still"), "\n".join(lines))


def _age(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f} s"


def _rounded(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)
