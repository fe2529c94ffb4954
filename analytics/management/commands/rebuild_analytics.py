from typing import Any

from django.core.management.base import BaseCommand

from analytics.refresh import rebuild


class Command(BaseCommand):
    help = "Make the figures of analytics anew from the history. Meanwhile they grow from nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Read {rebuild()} rows of the history.")
