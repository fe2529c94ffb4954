"""`python -m tests.attack`: strangers attack a stack of this run's own while orders are posted. `make attack` runs it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from contextlib import ExitStack
from pathlib import Path

from tests import command
from tests.attack import report
from tests.attack.attackers import ATTACKS, SHORT
from tests.attack.fixtures import Credentials, Spool, create_data, enter_code_of
from tests.attack.good import now
from tests.attack.phases import prepare
from tests.attack.report import CALM, Row
from tests.chaos.stack import Stack
from tests.command import elapsed, keep_logs, own_home, print_progress, run, use_settings
from tests.figures import write_json

# Of attacks one after the other; none begins that would be over later. The servers' start comes before.
MOST_SECONDS = 220.0


def main() -> int:
    options = _arguments()
    with own_home() as home:
        use_settings(home, options)
        spool = Spool(home)
        os.environ |= spool.environment
        return _run(home, spool, options)


def _run(home: Path, spool: Spool, options: argparse.Namespace) -> int:
    import django

    django.setup()
    stack = Stack(home, int(os.environ["HUUVA_PORT"]), durable=not options.not_durable)
    with ExitStack() as ending:
        ending.callback(keep_logs, home, "attack-log")
        ending.callback(stack.stop)
        # A second wish to end must not leave half of the servers behind.
        ending.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)
        print_progress("starting the stack in a home of its own")
        stack.start()
        print_progress("creating two kitchens and their orders")
        credentials = create_data(short=options.short)
        rows, left = asyncio.run(_attack(stack.port, credentials, spool, options))
    figures = report.figures(vars(options), rows, left, elapsed())
    if options.json:
        print(json.dumps(figures, indent=2, default=str))
    else:
        print("\n".join(["", *report.table(rows), ""]))
        if left:
            print(f"The time was over before: {', '.join(left)}.")
        print(f"written to {write_json(figures, 'attack-')}")
    return 1 if left or any(row.wrong for row in rows) else 0


async def _attack(
    port: int, credentials: Credentials, spool: Spool, options: argparse.Namespace
) -> tuple[list[Row], list[str]]:
    rows, left = [], []
    async with prepare(
        port, credentials, spool, enter_code_of, short=options.short, shared=options.shared, rate=options.rate
    ) as runner:
        began = now()
        if options.short:
            print_progress(f"at once: {', '.join(options.only or SHORT)}")
            return [await runner.phase("all at once", options.only or SHORT)], []
        rows.append(await runner.phase(CALM, ()))
        for name in options.only or ATTACKS:
            if now() - began + ATTACKS[name].seconds > MOST_SECONDS:
                left.append(name)
                continue
            print_progress(f"{name}: {ATTACKS[name].what}")
            rows.append(await runner.phase(name, (name,)))
    return rows, left


def _arguments() -> argparse.Namespace:
    parser = command.parser("tests.attack", __doc__, ATTACKS)
    parser.add_argument("--short", action="store_true", help="smaller ones, all at once: what CI runs")
    parser.add_argument(
        "--shared", action="store_true", help="attackers come from the same address as the good client"
    )
    parser.add_argument("--rate", type=float, default=20, help="orders a second (default 20)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
