"""The options of `manage.py simulate` and `make demo`."""

from __future__ import annotations

import math
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from typing import Any, Final

LONGEST_MINUTES: Final = 7 * 24 * 60
HIGHEST_RATE: Final = 10_000
MOST_DAYS: Final = 10 * 366
MOST_PER_DAY: Final = 1_000_000
RATE, MINUTES, SPEED, PER_DAY = 3.0, 60.0, 1.0, 800.0


def add_options(parser: ArgumentParser) -> None:
    rush = parser.add_argument_group("a rush through the HTTP API of an installation that runs")
    rush.add_argument(
        "--rate",
        type=_rate,
        metavar="N",
        help=f"orders a minute at the dinner's peak, in its time (default: {RATE:g})",
    )
    rush.add_argument(
        "--minutes",
        type=_minutes,
        metavar="N",
        help="simulated minutes in which orders come, around the peak; 1440 is a whole day "
        f"(default: {MINUTES:g})",
    )
    rush.add_argument(
        "--speed",
        type=_speed,
        metavar="N",
        help=f"how much faster than real time, 60: an hour in a minute (default: {SPEED:g})",
    )
    rush.add_argument("--url", help="another installation than the one that runs here; needs --key")
    rush.add_argument(
        "--key",
        help="API key with orders:read, orders:write and orders:recall (default: one of its own, without a rate limit)",
    )
    past = parser.add_argument_group("a past, written straight to the database")
    past.add_argument(
        "--days", type=_days, metavar="N", help="so many days until now instead of a rush, written in minutes"
    )
    past.add_argument(
        "--orders-per-day",
        type=_per_day,
        metavar="N",
        help=f"of each kitchen, on average (default: {PER_DAY:g})",
    )
    past.add_argument(
        "--beside-real-orders",
        action="store_true",
        help="also where a kitchen has orders that are not simulated: what is written can't be taken out again",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="the same one gives the same orders (default: random)"
    )
    parser.add_argument(
        "--kitchen",
        metavar="SLUG",
        action="append",
        help="whose orders (default: main, or with --url the kitchen of the key); with --days it may be repeated",
    )


def conflict_of(options: Mapping[str, Any]) -> str | None:
    """A sentence about options that conflict; None if none do."""
    if options["days"] is None:
        if options["orders_per_day"] is not None or options["beside_real_orders"]:
            return "--orders-per-day and --beside-real-orders go with --days."
        if len(options["kitchen"] or ()) > 1:
            return "A rush has one --kitchen; several go with --days."
        return None
    alone = [name for name in ("rate", "minutes", "speed", "url", "key") if options[name] is not None]
    if alone:
        return f"--{alone[0]} is for a rush; --days writes a past straight to this installation's database."
    return None


def _number(text: str, highest: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= highest:
        raise ArgumentTypeError(f"must be a number above 0 and at most {highest:,}, not {text!r}")
    return number


def _rate(text: str) -> float:
    return _number(text, HIGHEST_RATE)


def _minutes(text: str) -> float:
    return _number(text, LONGEST_MINUTES)


def _speed(text: str) -> float:
    return _number(text, 10_000)


def _per_day(text: str) -> float:
    return _number(text, MOST_PER_DAY)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST_DAYS):
        raise ArgumentTypeError(f"must be a whole number from 1 to {MOST_DAYS:,}, not {text!r}")
    return int(text)
