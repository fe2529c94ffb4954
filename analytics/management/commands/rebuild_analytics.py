import sys
import time
from typing import Any

from django.core.management.base import BaseCommand

from analytics.refresh import rebuild

SAY_EACH_SECONDS = 10


class Command(BaseCommand):
    help = (
        "Make the figures of analytics anew from the history. Meanwhile they grow from nothing; killed, the next "
        "refresh goes on where it was."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        began = said = time.monotonic()

        def show(rows: int) -> None:
            nonlocal said
            if time.monotonic() - said > SAY_EACH_SECONDS:
                said = time.monotonic()
                sys.stderr.write(f"{rows:,} rows in {said - began:.0f} s\n")

        self.stdout.write(f"Read {rebuild(show=show)} rows of the history.")
