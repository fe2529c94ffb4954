"""The results of backups, for /metrics, the admin's front page and mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db.models import F, Q

from huuva.models import BackupRecord

# One backup a day, and the time to make it.
MISSING_AFTER: Final = timedelta(hours=26)
# Once a day while nothing gets better, a little earlier each time.
ALERT_EVERY: Final = timedelta(hours=20)


class Fault(StrEnum):
    FAILED = "failed"
    MISSING = "missing"


@dataclass(frozen=True)
class Trouble:
    """What is wrong with the backups. `since`: the failure, the last good backup, or the time one is expected from."""

    fault: Fault
    since: datetime
    reason: str = ""


def note_expected(now: datetime) -> BackupRecord:
    """A timer has started: from now on backups are expected."""
    return BackupRecord.objects.get_or_create(id=1, defaults={"expected_since": now})[0]


def note_success(now: datetime) -> None:
    _note(now, succeeded_at=now)


def note_failure(now: datetime, reason: str) -> None:
    _note(now, failed_at=now, reason=reason)


def _note(now: datetime, **fields: Any) -> None:
    BackupRecord.objects.update_or_create(
        id=1, defaults=fields, create_defaults={"expected_since": now, **fields}
    )


def last() -> BackupRecord | None:
    return BackupRecord.objects.first()


def trouble(now: datetime) -> Trouble | None:
    """What is wrong now. None also if no backup was ever tried and no timer runs."""
    record = last()
    if record is None:
        return None
    good = record.succeeded_at
    if record.failed_at is not None and (good is None or record.failed_at > good):
        return Trouble(Fault.FAILED, record.failed_at, record.reason)
    since = good or record.expected_since
    return Trouble(Fault.MISSING, since) if now - since > MISSING_AFTER else None


def claim_alert(now: datetime) -> bool:
    """Whether to report now: at once after a good backup, then once a day. Only one of several processes gets True."""
    due = Q(alerted_at=None) | Q(alerted_at__lt=F("succeeded_at")) | Q(alerted_at__lt=now - ALERT_EVERY)
    return BackupRecord.objects.filter(due, id=1).update(alerted_at=now) == 1
