"""`python -m bench`: start the whole stack, drive it with wrk, print the figures next to our goals."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
from pathlib import Path

from bench import boards, history, live, painted, webhooks
from bench.load import LoadFailed, wrk_is_there
from bench.measure import Result, measure
from bench.stack import Stack, StackFailed
from bench.table import as_json, complaints, print_table, write_json
from bench.workloads import WORKLOADS
from huuva.embedded import database_url

# The limits' machinery runs and counts, but nobody is turned away.
RATE_LIMIT_OUT_OF_REACH = 10_000_000


def main() -> int:
    options = _arguments()
    if not set(options.only or ["wrk"]) <= {"live", "wall", "board", "webhooks"} and not wrk_is_there():
        print("make bench: skipped, because wrk isn't installed (Debian: apt install wrk).")
        return 0
    with tempfile.TemporaryDirectory(prefix="huuva-bench-") as home:
        stack = Stack(Path(home))
        try:
            results, second_start = _run(stack, options)
            wall = _painted(stack) if _wanted("wall", options) else None
            board = _boards(stack) if _wanted("board", options) else None
            told = _webhooks(stack) if _wanted("webhooks", options) else None
            streams = _live(stack) if _wanted("live", options) else None
            past = (
                history.measure_history(stack, options.orders, options.seconds, _say)
                if "history" in (options.only or ())
                else None
            )
        except (
            StackFailed,
            LoadFailed,
            live.StreamsFailed,
            painted.PaintFailed,
            boards.BoardFailed,
        ) as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            stack.stop()
            warnings = stack.warnings()
    figures = as_json(results, second_start)
    if streams:
        figures["live"] = streams.as_json()
    if wall:
        figures["wall"] = wall.as_json()
    if board:
        figures["board"] = board.as_json()
    if told:
        figures["webhooks"] = told.as_json()
    if past:
        figures["history"] = past.as_json()
    path = write_json(figures)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        print_table(results, second_start)
        measured = [found.lines() for found in (wall, board, told, streams) if found]
        print("\n".join(line for lines in measured for line in lines))
        print("\n".join([*past.lines(), *past.misses()] if past else []))
        print(f"written to {path}")
    wrong = [*complaints(results), *(live.complaints(streams) if streams else [])]
    wrong += painted.complaints(wall) if wall else []
    wrong += boards.complaints(board) if board else []
    wrong += webhooks.complaints(told) if told else []
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
    for workload in WORKLOADS:
        if not _wanted(workload.name, options):
            continue
        for limited in (True, False):
            _say(f"{workload.title}, {'with' if limited else 'without'} rate limit, {options.seconds} s")
            results.append(
                measure(
                    workload,
                    base_url=stack.base_url,
                    key=keys[limited],
                    limited=limited,
                    seconds=options.seconds,
                    web=stack.web,
                    postgres=stack.postgres,
                    run_id=run_id,
                )
            )
    return results, second_start


def _live(stack: Stack) -> live.LiveResult:
    _say(f"{live.STREAMS} streams on live, {live.IDLE_SECONDS} s idle, then {live.HINTS} hints")
    return live.measure_live(stack.home, stack.port + 1, list(set(stack.live())))


def _webhooks(stack: Stack) -> webhooks.WebhookResult:
    _say(
        f"{2 * webhooks.ROUNDS} bursts of changes, untold and told; then a live webhook among {webhooks.DEAD} dead ones"
    )
    return webhooks.measure_webhooks(stack)


def _painted(stack: Stack) -> painted.PaintResult:
    _say(
        f"{painted.ORDERS} orders, until each is painted on a wall; as many bumps, until another wall shows them"
    )
    key = _own_kitchen(stack, "wall")
    links = tuple(stack.manage("pair_screen", name, "--kitchen", "wall") for name in ("bench-1", "bench-2"))
    return painted.measure_painted(stack.base_url, (links[0], links[1]), key)


def _boards(stack: Stack) -> boards.BoardResult:
    _say(f"a board of {boards.TICKETS} tickets, beside none and beside {boards.OLD_ORDERS:,} old orders")
    key = _own_kitchen(stack, "board")
    link = stack.manage("pair_screen", "bench", "--kitchen", "board")
    return boards.measure_boards(stack.base_url, link, key, database_url(stack.home), stack.web, _say)


def _own_kitchen(stack: Stack, slug: str) -> str:
    """A key for a kitchen of its own: the other workloads leave thousands of open orders behind."""
    make = f"from orders.models import Kitchen; Kitchen(slug='{slug}', name='{slug.title()}').save()"
    stack.manage("shell", "--no-imports", "-c", make)
    return stack.create_key(f"bench-{slug}", 0, "--kitchen", slug)


def _wanted(name: str, options: argparse.Namespace) -> bool:
    return not options.only or name in options.only


def _many(text: str) -> int:
    if not text.isdigit() or int(text) < 2 * history.FEW:
        raise argparse.ArgumentTypeError(f"must be a whole number from {2 * history.FEW:,} on")
    return int(text)


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [workload.name for workload in WORKLOADS] + [
        "start",
        "wall",
        "board",
        "webhooks",
        "live",
        "history",
    ]
    parser.add_argument(
        "--seconds", type=int, default=6, help="how long each workload is measured (default 6)"
    )
    parser.add_argument("--only", action="append", choices=names, help="this workload only; may be repeated")
    parser.add_argument(
        "--orders",
        type=_many,
        default=history.MANY,
        help=f"for --only history, which runs only when asked for: how many orders the second time "
        f"(default {history.MANY:,}, which takes a quarter of an hour)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
