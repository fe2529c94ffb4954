"""Tables of the project itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# A time further in the future than the clocks of several machines differ was stored before the clock was set back.
CLOCKS_DIFFER: Final = timedelta(seconds=10)


class Heartbeat(models.Model):
    """At most one row: when a worker last ran a task that beat had sent.

    In the database, not in Valkey: an emptied Valkey must not look like a beat that never ran.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="heartbeat_is_one_row")]

    def __str__(self) -> str:
        return f"{self.at}"

    @classmethod
    def note(cls, at: datetime) -> None:
        """Tasks may run twice and out of order: the latest time is stored, unless the clock was set back since."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO huuva_heartbeat AS stored (id, at) VALUES (1, %s) "
                "ON CONFLICT (id) DO UPDATE "
                "SET at = CASE WHEN stored.at > %s THEN EXCLUDED.at ELSE greatest(stored.at, EXCLUDED.at) END",
                [at, timezone.now() + CLOCKS_DIFFER],
            )

    @classmethod
    def last(cls) -> datetime | None:
        return cls.objects.values_list("at", flat=True).first()


class BackupRecord(models.Model):
    """At most one row: the results of the last backups. `huuva.ops.backups.record` writes it.

    In the database, because backups are made by another process than those that show metrics and send mails.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    # Backups are expected from then on: the first was tried, or a timer started.
    expected_since = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    # May name programs, tables and files, never their contents.
    reason = models.TextField(default="")
    # When a failed or missing backup was last reported.
    alerted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="backup_record_is_one_row")]

    def __str__(self) -> str:
        return f"{self.succeeded_at}"


class LoginAttempt(models.Model):
    """A password that was checked, right or wrong. huuva.logins writes and counts them; huuva.tasks deletes them after
    LOGIN_DAYS."""

    at = models.DateTimeField(_("time"))
    # A keyed hash: people type passwords into the field for the name.
    name = models.CharField(_("name, as a hash"), max_length=32)
    address = models.CharField(_("address"), max_length=45, blank=True)
    # The unit that is counted: an IPv4 address, or the /64 of an IPv6 address.
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
            # Counts wrong passwords before each one is hashed.
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
            # For the task that deletes old attempts.
            models.Index(fields=["at"], name="login_attempt_at"),
        ]

    def __str__(self) -> str:
        return f"{self.at} {self.name}"
