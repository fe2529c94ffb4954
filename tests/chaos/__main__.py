"""`python -m tests.chaos`: a dinner rush, processes that die in turn, and the consistency of the data afterwards. `make chaos` runs it."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from tests import command
from tests.chaos.disk import Disk, own_disk
from tests.chaos.ledger import Ledger, now
from tests.chaos.stack import Stack
from tests.command import keep_logs, own_home, print_progress, run, use_settings
from tests.figures import write_json
from tests.live_stack import SCOPES

NAMES = (
    "web-worker", "web", "live", "worker", "beat", "valkey",
    "postgres", "postgres-backend", "connections", "resets", "disk",
    "frozen-postgres", "frozen-valkey", "poisoned-queue", "stalled-feed", "reload", "uploads", "clock",
)  # fmt: skip
# Between faults, in seconds: all goes well for a moment.
CALM = (1.0, 2.0)
# Calls a minute of the follower's and the reader's keys: sometimes it is too few.
LIMITED = 150


def main() -> int:
    options = _arguments()
    with own_home() as home:
        # First of all: a process with threads may not have mounts of its own.
        disk = own_disk(home / "postgres", mount=not options.no_mount)
        use_settings(home, options)
        return _run(home, disk, options)


def _run(home: Path, disk: Disk, options: argparse.Namespace) -> int:
    import django

    django.setup()
    import huuva.celery  # noqa: F401  (tasks are sent by its settings)
    from tests.chaos import consistency, report
    from tests.chaos.client import Client
    from tests.chaos.context import FaultContext
    from tests.chaos.faults import FAULTS, suffer
    from tests.chaos.liveness import BRIEF_LIVE_SECONDS, LIVE_SECONDS, Liveness
    from tests.chaos.rush import Pace, Rush
    from tests.chaos.watchers import Follower, Reader, Tasks, Wall
    from tests.chaos.webhooks import Listener

    print_progress(f"disk: {disk.how}")
    port = int(os.environ["HUUVA_PORT"])
    stack = Stack(home, port, durable=not options.not_durable)
    listener = Listener()
    ledger, rng, stop = Ledger(), random.Random(options.seed), threading.Event()
    try:
        print_progress("starting the stack in a home of its own")
        stack.start()
        keys, links = _prepare()
        listener.start()
        wall, pickup = Wall(port, ledger), Wall(port, ledger, "pickup")
        wall.pair(links[0])
        pickup.pair(links[1])
        follower, reader = Follower(port, keys[1], ledger), Reader(port, keys[2], ledger)
        tasks = Tasks(ledger)
        rush = Rush(port, keys[0], ledger, options.seed, Pace(options.clients, options.pause))
        # In the suite processors are busy with other things, too.
        limit = BRIEF_LIVE_SECONDS if options.brief else LIVE_SECONDS
        liveness = tuple(Liveness(name, port + n, ledger, limit) for n, name in enumerate(("web", "live")))
        watchers = [wall, pickup, follower, reader, tasks, *liveness]
        print_progress("ready; the rush begins")
        ledger.phase = "calm"
        for one in (*watchers, rush):
            one.start()
        screens = (wall, pickup)
        context = FaultContext(
            stack, disk, rush, screens, tasks, listener, liveness, ledger, rng, stop, brief=options.brief
        )
        recoveries, end = [], now() + 60 * options.minutes
        try:
            for name in _turns(options.only or NAMES, end):
                stop.wait(rng.uniform(*CALM))
                print_progress(FAULTS[name].what)
                recoveries.append(suffer(FAULTS[name], context))
            ledger.phase = "end"
        finally:
            rush.finish()
            for one in watchers:
                one.finish()
        print_progress("the rush is over; checking the data")
        log = home / "log" / "web.log"
        checks = consistency.check_all(
            ledger, wall, pickup, follower, Client(port, keys[0], ledger), log, listener
        )
    finally:
        stack.stop()
        listener.stop()
    figures = report.figures(vars(options), disk.how, recoveries, checks, ledger, stack)
    path = None if options.json else write_json(figures, "chaos-")
    wrong = bool(ledger.complained or any(check.wrong for check in checks))
    if options.json:
        print(json.dumps(figures, indent=2, default=str))
    else:
        print("\nSeconds until the first good answer, and what clients got meanwhile:\n")
        print("\n".join([*report.table(recoveries), "", *report.notes(recoveries), ""]))
        print("\n".join([*report.check_lines(checks), ""]))
        left = [name for name in options.only or NAMES if name not in {one.fault for one in recoveries}]
        if left:
            print(f"The time was over before: {', '.join(left)}.")
        print(f"written to {path}")
    for complaint in ledger.complaints:
        print(f"!!! {complaint}", file=sys.stderr)
    if wrong:
        print_progress(f"the logs are in {keep_logs(home, 'chaos-log')}")
    return 1 if wrong else 0


def _prepare() -> tuple[list[str], list[str]]:
    """The kitchen, keys for rush, follower and reader, and the links that pair a wall and a pickup board."""
    from django.db import connections

    from integrations.tests.factories import api_key
    from kitchen_display.models import Screen
    from kitchen_display.pairing import make_link
    from kitchen_display.tests.factories import screen
    from orders.tests.factories import kitchen as make_kitchen
    from tests.chaos.rush import RECALL_WITHIN

    kitchen = make_kitchen(name="Main kitchen")
    kitchen.recall_minutes = RECALL_WITHIN // timedelta(minutes=1)
    kitchen.save(update_fields=["recall_minutes"])
    keys = [
        api_key(name, SCOPES, rate_limit=limit)[1]
        for name, limit in (("rush", 0), ("follower", LIMITED), ("reader", LIMITED))
    ]
    links = [
        make_link(screen(str(kind), of=kitchen, kind=kind))
        for kind in (Screen.Kind.KITCHEN, Screen.Kind.PICKUP)
    ]
    connections.close_all()
    return keys, links


def _turns(names: list[str] | tuple[str, ...], end: float) -> Iterator[str]:
    """Each in its turn, and all over again while there is time."""
    while True:
        for name in names:
            if now() > end:
                return
            yield name
        if end == float("inf"):
            return


def _arguments() -> argparse.Namespace:
    parser = command.parser("tests.chaos", __doc__, NAMES)
    parser.add_argument("--minutes", type=float, default=3.0, help="when to begin no more faults (default 3)")
    parser.add_argument(
        "--once", action="store_const", const=float("inf"), dest="minutes", help="each fault once"
    )
    parser.add_argument("--seed", type=int, default=1, help="the same one gives the same orders (default 1)")
    parser.add_argument("--clients", type=int, default=8, help="how many make calls at once (default 8)")
    parser.add_argument("--pause", type=float, default=0.05, help="mean seconds between a client's calls")
    parser.add_argument(
        "--no-mount", action="store_true", help="a full disk without a file system of its own"
    )
    parser.add_argument(
        "--brief", action="store_true", help="stop, stall and set clocks for a few seconds only"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
