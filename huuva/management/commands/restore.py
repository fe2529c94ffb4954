from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from huuva.ops.backups import BackupError
from huuva.ops.backups.restore import restore
from orders import erasures, feed
from orders.models import Erasure
from orders.privacy import repeat_erasures


class Command(BaseCommand):
    help = (
        "Restore a backup into the database, in one transaction, compare it with its manifest, migrate it to this "
        "release, continue the change feed after it, and repeat the erasures since. Stop web, worker and beat first."
    )
    # The database may be empty, or the broken one to be replaced.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="lose what is in the database now")

    def handle(self, *args: Any, **options: Any) -> None:
        erased = self._erased()
        try:
            manifest = restore(settings.DATABASE_URL, options["file"].absolute(), replace=options["replace"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from None
        # Before anything else writes, and before `migrate`, whose checks read it.
        offset = feed.raise_offset() if _has_offset() else 0
        call_command("migrate", interactive=False, verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        erasures.add(erased)
        repeated = repeat_erasures()
        self.stdout.write(
            f"Restored the backup of {manifest.made_at}: {manifest.rows.get('orders_order', 0)} orders, "
            f"{sum(manifest.rows.values())} rows in {len(manifest.rows)} tables, equal to its manifest. "
            f"The feed's offset is {offset}. Customers erased again: {repeated}."
        )

    def _erased(self) -> list[erasures.Listed]:
        """The erasures of the database to be replaced, perhaps later than the backup."""
        try:
            exists = Erasure._meta.db_table in connection.introspection.table_names()
            return erasures.listed() if exists else []
        except DatabaseError as error:
            self.stderr.write(f"The present list of erased customers can't be read ({type(error).__name__}).")
            return []
        finally:
            connection.close()  # nobody may be connected while it is replaced


def _has_offset() -> bool:
    return "orders_feedoffset" in connection.introspection.table_names()
