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

from huuva.ops.first_data import KITCHEN
from huuva.ops.simulation.client import Client, GaveUp
from huuva.ops.simulation.filling import fill, refresh_figures, vacuum
from huuva.ops.simulation.kitchen import furnish, has_real_orders, simulation_key
from huuva.ops.simulation.options import MINUTES, PER_DAY, RATE, SPEED, add_options, conflict_of
from huuva.ops.simulation.past import Past
from huuva.ops.simulation.player import Player
from huuva.ops.simulation.progress import Progress
from huuva.ops.simulation.rush import plan_rush
from huuva.ops.start.run import origin
from orders.models import Kitchen


class Command(BaseCommand):
    help = (
        "Play a dinner rush against a running installation, through its HTTP API: orders of several brands, for now "
        "and for later, cooks that bump, couriers, cancellations, mistakes. Or, with --days, write days of the past "
        "straight to the database. The orders count as real ones and stay."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        conflict = conflict_of(options)
        if conflict:
            raise CommandError(conflict)
        seed = options["seed"] if options["seed"] is not None else random.SystemRandom().randrange(10**6)
        if options["days"] is not None:
            self._write_past(options, seed)
        else:
            self._play_rush(options, seed)

    def _write_past(self, options: dict[str, Any], seed: int) -> None:
        per_day = options["orders_per_day"] or PER_DAY
        kitchens = [_kitchen(slug) for slug in dict.fromkeys(options["kitchen"] or [KITCHEN])]
        for kitchen in kitchens:
            if not options["beside_real_orders"] and has_real_orders(kitchen):
                raise CommandError(
                    f"Kitchen {kitchen.slug} has orders that are not simulated, and what is simulated can't be taken "
                    "out again. Choose another --kitchen, or say --beside-real-orders."
                )
            furnish(kitchen)
        now = datetime.now(UTC)
        pasts = [Past(kitchen, options["days"], per_day, seed, now) for kitchen in kitchens]
        expected = options["days"] * per_day * len(pasts)
        sys.stderr.write(
            f"Writing {options['days']} days of {len(pasts)} kitchen{'s' * (len(pasts) > 1)}: about {expected:,.0f} "
            f"orders. --seed {seed} repeats it.\n"
        )
        start = time.monotonic()
        progress = Progress(expected, sys.stderr, "order", 1)
        orders, rows = fill(pasts, lambda orders, rows: progress.show(orders, f"{rows:,} rows of history"))
        progress.close()
        written = time.monotonic()
        progress = Progress(rows, sys.stderr, "row", 1)
        refresh_figures(lambda read: progress.show(read, "added to the figures of analytics"))
        progress.close()
        refreshed = time.monotonic()
        vacuum()
        end = time.monotonic()
        self.stdout.write(
            f"Wrote {orders:,} orders with {rows:,} rows of history in {written - start:.0f} s, brought the figures up "
            f"to date in {refreshed - written:.0f} s and PostgreSQL's statistics in {end - refreshed:.0f} s."
        )

    def _play_rush(self, options: dict[str, Any], seed: int) -> None:
        url, key, kitchen = self._target(options)
        minutes, speed = options["minutes"] or MINUTES, options["speed"] or SPEED
        plan = plan_rush(seed, options["rate"] or RATE, minutes)
        run = f"sim-{datetime.now(UTC):%y%m%d%H%M%S}-{seed}"
        player = Player(plan, url, key, speed=speed, run=run, kitchen=kitchen)
        progress = Progress(player.end, sys.stderr)

        def stop(number: int, frame: FrameType | None) -> None:
            player.stop.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        # Not self.stderr: it ends each write with a newline, and colours it as an error.
        sys.stderr.write(
            f"Simulating {minutes:g} minutes at {url}: {len(plan)} orders, done in "
            f"{player.end / speed / 60:.1f} minutes. --seed {seed} repeats it.\n"
        )
        start = time.monotonic()
        try:
            player.play(lambda second: progress.show(second, player.tally.short()))
        finally:
            player.stop.set()
            for number, handler in before.items():
                signal.signal(number, handler)
        progress.close()
        for sentence in player.tally.errors[:10]:
            self.stderr.write(f"Error: {sentence}")
        self.stdout.write(f"Simulated in {time.monotonic() - start:.0f} s: {player.tally.summary()}.")
        if player.tally.errors:
            raise CommandError(f"{len(player.tally.errors)} calls failed.")

    def _target(self, options: dict[str, Any]) -> tuple[str, str, str | None]:
        """Address, key and kitchen. This installation gets what the simulation needs; another one is not changed."""
        url, key, kitchen = options["url"], options["key"], (options["kitchen"] or [None])[0]
        if url:
            if not key:
                raise CommandError("--url needs --key: a key of that installation.")
            _check(url, key)
            return url, key, kitchen
        url = origin(settings.HUUVA_HOST, settings.HUUVA_PORT)
        _check(url)
        slug = kitchen or KITCHEN
        furnish(_kitchen(slug))
        key = key or simulation_key(settings.HUUVA_HOME)
        _check(url, key)
        return url, key, slug


def _kitchen(slug: str) -> Kitchen:
    """Raises CommandError."""
    kitchen = Kitchen.objects.filter(pk=slug).first()
    if kitchen is None:
        raise CommandError(f"Unknown kitchen: {slug}.")
    return kitchen


def _check(url: str, key: str | None = None) -> None:
    """Raises CommandError if nothing answers there, or if it refuses the key."""
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
