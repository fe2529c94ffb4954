from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.cluster import SHARDS, NotPossible, advance_counters, carry_out, has_citus, plan
from orders.management.asking import agreed


class Command(BaseCommand):
    help = (
        "Spread the order tables over the workers of a Citus cluster, in one transaction. Says what it will do, then "
        "asks. Without the extension, or where all is done, it changes nothing. Stop web, worker and beat first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--yes", action="store_true", help="don't ask")
        parser.add_argument(
            "--shards",
            type=int,
            default=SHARDS,
            help=f"parts of each table: a few for each core that all workers will ever have (default {SHARDS})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["shards"] <= 10_000:
            raise CommandError("--shards must be from 1 to 10000.")
        if not has_citus():
            self.stdout.write("This PostgreSQL has no extension citus: all tables stay as they are.")
            return
        try:
            steps = plan(options["shards"])
        except NotPossible as reason:
            raise CommandError(str(reason)) from None
        for step in steps:
            self.stdout.write(f"- {step.text}")
        if options["dry_run"]:
            self.stdout.write(f"{len(steps)} steps; nothing was done.")
            return
        if steps and not options["yes"] and not agreed("Do this now, in one transaction?"):
            raise CommandError("Nothing was done.")
        advanced = carry_out(steps) if steps else advance_counters()
        for counter in advanced:
            self.stdout.write(f"- {counter} counts on behind the highest number")
        self.stdout.write("Done." if steps or advanced else "All is spread already.")
