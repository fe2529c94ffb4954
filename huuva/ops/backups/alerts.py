"""Alerts of failed or missing backups: by mail, in the log and on the admin's front page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.db import Error
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.mail import send_alert
from huuva.ops.backups import record
from huuva.ops.backups.record import Fault, Trouble
from orders.admin.sections import Alert

log = structlog.get_logger(__name__)


def report(trouble: Trouble) -> None:
    """One line of the log and one mail, always."""
    log.warning(f"backup_{trouble.fault}", since=trouble.since.isoformat(), reason=trouble.reason)
    subjects = {
        Fault.FAILED: _("Huuva: the backup failed"),
        Fault.MISSING: _("Huuva: the backup is missing"),
    }
    advice = _(
        "Free disk space or fix what the message names, then run `manage.py backup`. "
        "See docs/operations.md for backups."
    )
    send_alert(subjects[trouble.fault], f"{_sentence(trouble)}\n\n{advice}")


def report_once(now: datetime) -> bool:
    """Report what is wrong now, at most once a day; returns whether it was reported."""
    trouble = record.trouble(now)
    if trouble is None or not record.claim_alert(now):
        return False
    report(trouble)
    return True


def note_failure(reason: str) -> None:
    """Record a failure and report it, repeated ones once a day. Without the database, which may be what failed, every
    failure is reported."""
    now = timezone.now()
    try:
        record.note_failure(now, reason)
        report_once(now)
    except Error as error:
        log.warning("backup_not_noted", error=type(error).__name__)
        report(Trouble(Fault.FAILED, now, reason))


def backup_alerts(request: HttpRequest) -> Iterable[Alert]:
    """For the admin's front page of users who manage the whole installation; one statement."""
    if not request.user.has_perm("orders.add_kitchen"):
        return []
    trouble = record.trouble(timezone.now())
    return [] if trouble is None else [Alert(_sentence(trouble))]


def _sentence(trouble: Trouble) -> str:
    when = date_format(timezone.localtime(trouble.since), "DATETIME_FORMAT")
    if trouble.fault is Fault.FAILED:
        return _("The last backup failed (%(when)s): %(reason)s") % {"when": when, "reason": trouble.reason}
    return _("No backup has been made since %(when)s.") % {"when": when}
