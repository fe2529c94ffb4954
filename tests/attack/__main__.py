"""`python -m tests.attack`: strangers attack a stack of this run's own while orders are posted. `make attack` runs it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from core.env import read_dotenv
from tests.attack import report
from tests.attack.attackers import ATTACKS, SHORT
from tests.attack.good import now
from tests.attack.phases import prepare
from tests.attack.report import CALM, Row
from tests.attack.scene import House, Spool, enter_code_of, furnish
from tests.chaos.stack import Stack, use_home
from tests.figures import FOLDER, write_json
from tests.home import make_home, remove_home, remove_leftovers
from tests.ports import free_port

_BEGAN = now()
ROOT = Path(__file__).resolve().parents[2]
# Of attacks one after the other; none begins that would be over later. The servers' start comes before.
MOST_SECONDS = 220.0


def main() -> int:
    options = _arguments()
    for name in ("DATABASE_URL", "REDIS_URL"):
        if read_dotenv(ROOT / ".env").get(name):
            sys.exit(f"Attacks need servers of their own: take {name} out of .env first.")
    remove_leftovers()
    home = make_home()
    try:
        use_home(home, options.port or free_port(following=1))
        spool = Spool(home)
        os.environ |= spool.environment
        return _run(home, spool, options)
    finally:
        remove_home(home)


def _run(home: Path, spool: Spool, options: argparse.Namespace) -> int:
    import django

    django.setup()
    stack = Stack(home, int(os.environ["HUUVA_PORT"]), durable=not options.not_durable)
    with ExitStack() as ending:
        ending.callback(keep_logs, home / "log")
        ending.callback(stack.stop)
        # A second wish to end must not leave half of the servers behind.
        ending.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)
        _say("starting the stack in a home of its own")
        stack.start()
        _say("furnishing two kitchens")
        house = furnish(short=options.short)
        rows, left = asyncio.run(_attack(stack.port, house, spool, options))
    found = report.figures(vars(options), rows, left, now() - _BEGAN)
    if options.json:
        print(json.dumps(found, indent=2, default=str))
    else:
        print("\n".join(["", *report.table(rows), ""]))
        if left:
            print(f"The time was over before: {', '.join(left)}.")
        print(f"written to {write_json(found, 'attack-')}")
    return 1 if left or any(row.wrong for row in rows) else 0


async def _attack(
    port: int, house: House, spool: Spool, options: argparse.Namespace
) -> tuple[list[Row], list[str]]:
    rows, left = [], []
    async with prepare(
        port, house, spool, enter_code_of, short=options.short, shared=options.shared, rate=options.rate
    ) as scene:
        began = now()
        if options.short:
            _say(f"at once: {', '.join(options.only or SHORT)}")
            return [await scene.phase("all at once", options.only or SHORT)], []
        rows.append(await scene.phase(CALM, ()))
        for name in options.only or ATTACKS:
            if now() - began + ATTACKS[name].seconds > MOST_SECONDS:
                left.append(name)
                continue
            _say(f"{name}: {ATTACKS[name].what}")
            rows.append(await scene.phase(name, (name,)))
    return rows, left


def keep_logs(log: Path) -> None:
    """Copies what the parts wrote to where it can be read afterwards; that of the run before goes."""
    kept = FOLDER / "attack-log"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(log, kept)


def _say(text: str) -> None:
    print(f"{now() - _BEGAN:6.1f} s  {text}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=list(ATTACKS),
        help="this attack only; may be repeated, in this order",
    )
    parser.add_argument("--short", action="store_true", help="smaller ones, all at once: what CI runs")
    parser.add_argument(
        "--shared", action="store_true", help="attackers come from the same address as the good client"
    )
    parser.add_argument("--rate", type=float, default=20, help="orders a second (default 20)")
    parser.add_argument("--port", type=int, help="of web; live takes the next one (default: a free one)")
    parser.add_argument("--not-durable", action="store_true", help="PostgreSQL waits for no disk: quicker")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table, write no file")
    return parser.parse_args()


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # So that the servers are stopped, whoever ends us.
    signal.signal(signal.SIGTERM, _interrupted)
    sys.exit(main())
