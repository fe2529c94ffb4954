from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection
from django.utils import timezone

from huuva.ops.backups import BackupError, BackupRefused, alerts, record
from huuva.ops.backups.create import FOLDER, backup, default_file
from huuva.ops.backups.record import Fault
from huuva.ops.backups.timer import end_on_sigterm, prune, run_daily

log = structlog.get_logger(__name__)
UNKNOWN_REASON = "It ended without a word; its log or that of the machine says more."


class Command(BaseCommand):
    help = "Write the whole database to a file, with a manifest beside it. Orders are accepted meanwhile."
    # It must work above all when something is wrong.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, help="default: a file named by the time, under HUUVA_HOME/backups"
        )
        parser.add_argument(
            "--prune",
            action="store_true",
            help="afterwards delete the backups under HUUVA_HOME that are older than HUUVA_BACKUP_DAYS",
        )
        parser.add_argument(
            "--daily",
            action="store_true",
            help="run until stopped: one each day at HUUVA_BACKUP_TIME (UTC), with --prune",
        )
        parser.add_argument(
            "--failed",
            action="store_true",
            help="make none, but record that one ended without a message, as systemd's OnFailure does",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["failed"]:
            self._note_killed()
        elif options["daily"]:
            self._daily()
        else:
            try:
                self._make(options["file"], prune_old=options["prune"])
            except (BackupError, OSError) as error:
                raise CommandError(str(error)) from None

    def _make(self, file: Path | None, *, prune_old: bool) -> None:
        """Make a backup and record the result. Raises BackupError and OSError."""
        file = file or default_file(settings.HUUVA_HOME, timezone.now())
        try:
            manifest = backup(settings.DATABASE_URL, file.absolute())
        except BackupRefused:
            raise
        except (BackupError, OSError) as error:
            alerts.note_failure(str(error))
            raise
        try:
            record.note_success(timezone.now())
        except Error as error:
            log.warning("backup_not_noted", error=type(error).__name__)
        self.stderr.write(f"{manifest.rows.get('orders_order', 0)} orders, {manifest.bytes / 1e6:.1f} MB.")
        self.stdout.write(str(file))
        if prune_old:
            self._prune()

    def _prune(self) -> None:
        days = settings.HUUVA_BACKUP_DAYS
        try:
            for old in prune(settings.HUUVA_HOME / FOLDER, timezone.now(), days):
                self.stderr.write(f"Deleted {old.name}: older than {days} days.")
        except OSError as error:
            # The backup itself is good.
            log.warning("backups_not_pruned", error=str(error))

    def _daily(self) -> None:
        end_on_sigterm()
        now = timezone.now()
        last_success = record.note_expected(now).succeeded_at
        connection.close()
        run_daily(settings.HUUVA_BACKUP_TIME, self._make_one_of_many, last_success)

    def _make_one_of_many(self) -> bool:
        try:
            self._make(None, prune_old=True)
        except (BackupError, OSError) as error:
            self.stderr.write(str(error))
            return False
        finally:
            # It isn't needed for a day, and a restore refuses while it is open.
            connection.close()
        return True

    def _note_killed(self) -> None:
        trouble = record.trouble(timezone.now())
        if trouble is not None and trouble.fault is Fault.FAILED:
            self.stderr.write("The backup has noted that itself.")
            return
        alerts.note_failure(UNKNOWN_REASON)
