"""`python -m bench`: start the whole stack, drive it, print the figures next to our goals."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import boards, history, live, memory, painted, webhooks, yardstick
from bench.history_figures import HistoryResult
from bench.load import CONNECTIONS, BenchFailed, wrk_is_there
from bench.measure import Result, measure
from bench.stack import Stack
from bench.table import Figures, as_json, print_table, wrong_with
from bench.workloads import WORKLOADS
from core.addresses import database_url
from tests.figures import write_json

CLIENTS = (1, CONNECTIONS, 32)
# The limits' machinery runs and counts, but nobody is turned away.
RATE_LIMIT_OUT_OF_REACH = 10_000_000
SLOW = {"memory", "history"}
NEED_NO_WRK = {"start", "wall", "board", "webhooks", "live"}


def main() -> int:
    options = _arguments()
    if not set(options.only or ["wrk"]) <= NEED_NO_WRK and not wrk_is_there():
        print("make bench: skipped, because wrk isn't installed (Debian: apt install wrk).")
        return 0
    measured: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="huuva-bench-") as home:
        stack = Stack(Path(home))
        try:
            results, second_start = _run(stack, options)
            for name, part in _parts(stack, options, results).items():
                if _wanted(name, options):
                    measured[name] = part()
        except BenchFailed as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            stack.stop()
            warnings = stack.warnings()
    figures = as_json(results, second_start, measured)
    path = write_json(figures)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        print_table(results, second_start, measured)
        print(f"written to {path}")
    wrong = wrong_with(results, measured)
    for complaint in wrong:
        print(f"!!! {complaint}", file=sys.stderr)
    if wrong:
        # Answers of 503 are logged, refusals of 4xx are not: that tells them apart.
        print("\n".join(["web logged:", *(warnings or ["nothing"])]), file=sys.stderr)
    return 1 if wrong else 0


def _run(stack: Stack, options: argparse.Namespace) -> tuple[list[Result], float | None]:
    _say("starting the stack on a throw-away HUUVA_HOME")
    stack.start()
    second_start = None
    if _wanted("start", options):
        stack.stop()
        second_start = round(stack.start(), 2)
    keys = {
        True: stack.create_key("bench", RATE_LIMIT_OUT_OF_REACH),
        False: stack.create_key("bench-free", 0),
    }
    results = []
    run_id = f"bench-{secrets.token_hex(3)}"
    runs = [(True, clients) for clients in options.clients]
    for workload in WORKLOADS:
        if not _wanted(workload.name, options):
            continue
        for limited, clients in [*runs, (False, CONNECTIONS)] if options.unlimited else runs:
            _say(
                f"{workload.title}, {clients} clients{'' if limited else ', no rate limit'}, {options.seconds} s"
            )
            results.append(
                measure(
                    workload,
                    base_url=stack.base_url,
                    key=keys[limited],
                    limited=limited,
                    clients=clients,
                    seconds=options.seconds,
                    web=stack.web,
                    postgres=stack.postgres,
                    database_url=database_url(stack.home),
                    run_id=run_id,
                )
            )
    return results, second_start


def _parts(
    stack: Stack, options: argparse.Namespace, results: list[Result]
) -> dict[str, Callable[[], Figures]]:
    """What is measured besides the workloads, in this order."""

    def wall() -> painted.PaintResult:
        _say(
            f"{painted.ORDERS} orders, until each is painted on a wall; as many bumps, until another wall shows them"
        )
        key = _own_kitchen(stack, "wall")
        links = [stack.manage("pair_screen", name, "--kitchen", "wall") for name in ("bench-1", "bench-2")]
        return painted.measure_painted(stack.base_url, (links[0], links[1]), key)

    def board() -> boards.BoardResult:
        _say(f"a board of {boards.TICKETS} tickets, beside none and beside {boards.OLD_ORDERS:,} old orders")
        key = _own_kitchen(stack, "board")
        link = stack.manage("pair_screen", "bench", "--kitchen", "board")
        return boards.measure_boards(stack.base_url, link, key, database_url(stack.home), stack.web, _say)

    def webhook() -> webhooks.WebhookResult:
        _say(
            f"{len(webhooks.TURNS)} bursts of changes, untold and told; "
            f"then a live webhook among {webhooks.DEAD} dead ones"
        )
        return webhooks.measure_webhooks(stack)

    def streams() -> live.LiveResult:
        _say(f"{live.STREAMS} streams on live, {live.IDLE_SECONDS} s idle, then {live.HINTS} hints")
        return live.measure_live(stack.home, stack.port + 1, list(set(stack.live())))

    def alone() -> yardstick.YardstickResult:
        _say("PostgreSQL alone")
        _own_kitchen(stack, yardstick.KITCHEN)
        return yardstick.measure_yardstick(stack.home, options.seconds, results)

    def held() -> memory.MemoryResult:
        _say(f"{memory.MINUTES} minutes of rush")
        parts: memory.Parts = {
            "web": stack.web,
            "live": stack.live,
            "worker": lambda: stack.celery("worker"),
            "beat": lambda: stack.celery("beat"),
            "postgres": stack.postgres,
            "valkey": stack.valkey,
        }
        return memory.measure_memory(
            stack.base_url, stack.create_key("bench-memory", RATE_LIMIT_OUT_OF_REACH), parts
        )

    def past() -> HistoryResult:
        return history.measure_history(stack, options.orders, options.seconds, _say)

    return {
        "yardstick": alone,
        "wall": wall,
        "webhooks": webhook,
        "live": streams,
        "memory": held,
        "board": board,
        "history": past,
    }


def _own_kitchen(stack: Stack, slug: str) -> str:
    """A key for a kitchen of its own: the other workloads leave thousands of open orders behind."""
    stack.create_kitchen(slug)
    return stack.create_key(f"bench-{slug}", 0, "--kitchen", slug)


def _wanted(name: str, options: argparse.Namespace) -> bool:
    if options.only:
        return name in options.only
    return options.all or name not in SLOW


def _many(text: str) -> int:
    if not text.isdigit() or int(text) < 2 * history.FEW:
        raise argparse.ArgumentTypeError(f"must be a whole number from {2 * history.FEW:,} on")
    return int(text)


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [workload.name for workload in WORKLOADS]
    names += ["start", "yardstick", "wall", "board", "webhooks", "live", "memory", "history"]
    parser.add_argument(
        "--seconds", type=int, default=6, help="how long each workload is measured (default 6)"
    )
    parser.add_argument("--only", action="append", choices=names, help="this part only; may be repeated")
    parser.add_argument(
        "--all",
        action="store_true",
        help=f"also what is slow: {' and '.join(sorted(SLOW))}, half an hour together",
    )
    parser.add_argument(
        "--clients",
        type=int,
        action="append",
        help=f"how many connections call at once; may be repeated (default {', '.join(map(str, CLIENTS))})",
    )
    parser.add_argument(
        "--unlimited", action="store_true", help="each workload also with a key without rate limit"
    )
    parser.add_argument(
        "--orders",
        type=_many,
        default=history.MANY,
        help=f"for history: how many orders the last time (default {history.MANY:,})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    options.clients = options.clients or CLIENTS
    return options


if __name__ == "__main__":
    sys.exit(main())
