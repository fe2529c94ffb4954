import sys
import time
from typing import Any

from django.core.management.base import BaseCommand

from analytics.refresh import rebuild

PROGRESS_SECONDS = 10


class Command(BaseCommand):
    help = (
        "Rebuild the figures of analytics from the history. Meanwhile they grow from nothing. If it is killed, the "
        "next refresh continues where it stopped."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        start = shown_at = time.monotonic()

        def show(rows: int) -> None:
            nonlocal shown_at
            if time.monotonic() - shown_at > PROGRESS_SECONDS:
                shown_at = time.monotonic()
                sys.stderr.write(f"{rows:,} rows in {shown_at - start:.0f} s\n")

        self.stdout.write(f"Read {rebuild(show=show)} rows of the history.")
