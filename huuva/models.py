"""What the platform itself has to remember."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, models
from django.utils import timezone

# What lies further in the future than clocks of several machines differ was noted before the clock was set back.
CLOCKS_DIFFER: Final = timedelta(seconds=10)


class Heartbeat(models.Model):
    """At most one row: when a task that beat sent was last run by a worker.

    In the database, not in Valkey: what is emptied there must not look like a beat that has never been.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="heartbeat_is_one_row")]

    def __str__(self) -> str:
        return f"{self.at}"

    @classmethod
    def note(cls, at: datetime) -> None:
        """Tasks may run twice and overtake each other: the latest counts, unless the clock was set back since."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO huuva_heartbeat AS kept (id, at) VALUES (1, %s) "
                "ON CONFLICT (id) DO UPDATE "
                "SET at = CASE WHEN kept.at > %s THEN EXCLUDED.at ELSE greatest(kept.at, EXCLUDED.at) END",
                [at, timezone.now() + CLOCKS_DIFFER],
            )

    @classmethod
    def last(cls) -> datetime | None:
        return cls.objects.values_list("at", flat=True).first()


class BackupRecord(models.Model):
    """At most one row: how the last backups ended. `huuva.backups.record` writes it.

    In the database, because the process that makes backups is another one than those that show metrics and send mails.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    # Since then backups are expected: the first one was tried, or a timer started.
    expected_since = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    # Names programs, tables and files; never what is in them.
    reason = models.TextField(default="")
    # When somebody was last told of a failed or missing backup.
    alerted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="backup_record_is_one_row")]

    def __str__(self) -> str:
        return f"{self.succeeded_at}"
