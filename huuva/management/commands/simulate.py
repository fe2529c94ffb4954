import random
import signal
import sys
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from huuva.first_data import KITCHEN
from huuva.run import origin
from huuva.simulation.client import Client, GaveUp
from huuva.simulation.kitchen import furnish, simulation_key
from huuva.simulation.options import add_options
from huuva.simulation.player import Player
from huuva.simulation.progress import Progress
from huuva.simulation.rush import plan_rush
from orders.models import Kitchen


class Command(BaseCommand):
    help = (
        "Play a dinner rush against a running installation, through its HTTP API: orders of several brands, for now "
        "and for later, cooks that bump, couriers, cancellations, mistakes. The orders are real ones to it and stay."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        url, key, kitchen = self._target(options)
        seed = options["seed"] if options["seed"] is not None else random.SystemRandom().randrange(10**6)
        plan = plan_rush(seed, options["rate"], options["minutes"])
        run = f"sim-{datetime.now(UTC):%y%m%d%H%M%S}-{seed}"
        player = Player(plan, url, key, speed=options["speed"], run=run, kitchen=kitchen)

        def stop(number: int, frame: FrameType | None) -> None:
            player.stop.set()

        # Before the first word: who reads it may stop us at once.
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        # Not self.stderr: it ends each write with a line's end, and colours it as an error.
        sys.stderr.write(
            f"Simulating {options['minutes']:g} minutes at {url}: {len(plan)} orders, done in "
            f"{player.end / options['speed'] / 60:.1f} minutes. --seed {seed} repeats it.\n"
        )
        progress = Progress(player.end, sys.stderr)
        began = time.monotonic()
        try:
            player.play(lambda second: progress.show(second, player.tally.short()))
        finally:
            player.stop.set()
            for number, handler in before.items():
                signal.signal(number, handler)
        progress.close()
        for sentence in player.tally.errors[:10]:
            self.stderr.write(f"Error: {sentence}")
        self.stdout.write(f"Simulated in {time.monotonic() - began:.0f} s: {player.tally.summary()}.")
        if player.tally.errors:
            raise CommandError(f"{len(player.tally.errors)} calls failed.")

    def _target(self, options: dict[str, Any]) -> tuple[str, str, str | None]:
        """Address, key and kitchen. What runs here is furnished for it; another installation isn't touched."""
        url, key, kitchen = options["url"], options["key"], options["kitchen"]
        if url:
            if not key:
                raise CommandError("--url needs --key: a key of that installation.")
            _check(url, key)
            return url, key, kitchen
        url = origin(settings.HUUVA_HOST, settings.HUUVA_PORT)
        _check(url)
        slug = kitchen or KITCHEN
        found = Kitchen.objects.filter(pk=slug).first()
        if found is None:
            raise CommandError(f"Unknown kitchen: {slug}.")
        furnish(found)
        key = key or simulation_key(settings.HUUVA_HOME)
        _check(url, key)
        return url, key, slug


def _check(url: str, key: str | None = None) -> None:
    """Raises CommandError where nothing answers there, or where it refuses the key."""
    try:
        client = Client(url, key or "", patience=5)
    except ValueError as error:
        raise CommandError(str(error)) from None
    try:
        answer = client.call("GET", "/api/orders?limit=1" if key else "/api/health")
    except GaveUp as error:
        raise CommandError(f"Nothing to simulate on at {url}: start it with `make run`. ({error})") from None
    finally:
        client.close()
    if answer.status != 200:
        raise CommandError(f"{url} answers {answer.status}: {answer.detail}")
