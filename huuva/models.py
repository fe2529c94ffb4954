"""What the platform itself has to remember."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

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
    """At most one row: how the last backups ended. `huuva.ops.backups.record` writes it.

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


class LoginAttempt(models.Model):
    """A password that was checked, right or wrong. Written by huuva.logins, which says how they are counted; kept
    for LOGIN_DAYS of huuva.tasks."""

    at = models.DateTimeField(_("time"))
    # A keyed hash: people type passwords where their name belongs.
    name = models.CharField(_("name, as a hash"), max_length=32)
    address = models.CharField(_("address"), max_length=45, blank=True)
    # What is counted: an IPv4 address, or the /64 of an IPv6 address.
    network = models.CharField(_("network"), max_length=50, blank=True)
    browser = models.CharField(
        _("known browser"),
        max_length=32,
        blank=True,
        help_text=_("Set where this browser had logged in by this name before."),
    )
    right = models.BooleanField(_("right"))
    forgiven = models.BooleanField(
        _("forgiven"), default=False, help_text=_("No longer counted: the right password came, or a new one.")
    )

    class Meta:
        verbose_name = _("login")
        verbose_name_plural = _("logins")
        indexes = [
            # What is asked before each password is hashed.
            models.Index(
                fields=["name", "at"],
                name="login_wrong_by_name",
                condition=models.Q(right=False, forgiven=False),
            ),
            models.Index(
                fields=["network", "at"],
                name="login_wrong_by_network",
                condition=models.Q(right=False, forgiven=False),
            ),
            models.Index(
                fields=["browser", "at"],
                name="login_wrong_by_browser",
                condition=models.Q(right=False, forgiven=False),
            ),
            # For the task that removes old ones.
            models.Index(fields=["at"], name="login_attempt_at"),
        ]

    def __str__(self) -> str:
        return f"{self.at} {self.name}"
