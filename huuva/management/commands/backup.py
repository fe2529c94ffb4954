from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from huuva.backups import BackupError
from huuva.backups.making import backup, default_file


class Command(BaseCommand):
    help = (
        "Write the whole database to a file, with a manifest beside it. Orders go on being taken meanwhile."
    )
    # It must work above all when something is wrong.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, help="default: a file named by the time, under HUUVA_HOME/backups"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file = options["file"] or default_file(settings.HUUVA_HOME, timezone.now())
        try:
            manifest = backup(settings.DATABASE_URL, file.absolute())
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from None
        self.stderr.write(f"{manifest.rows.get('orders_order', 0)} orders, {manifest.bytes / 1e6:.1f} MB.")
        self.stdout.write(str(file))
