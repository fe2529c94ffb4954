"""The options of `manage.py simulate`, which `make demo` takes too."""

from __future__ import annotations

import math
from argparse import ArgumentParser, ArgumentTypeError
from typing import Final

LONGEST_MINUTES: Final = 7 * 24 * 60
HIGHEST_RATE: Final = 10_000


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--rate",
        type=_rate,
        default=3.0,
        metavar="N",
        help="orders a minute at the dinner's peak, in its time (default: 3)",
    )
    parser.add_argument(
        "--minutes",
        type=_minutes,
        default=60.0,
        metavar="N",
        help="simulated minutes in which orders come, around the peak; 1440 is a whole day (default: 60)",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="N",
        help="how much faster than real time, 60: an hour in a minute (default: 1)",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="the same one gives the same orders (default: random)"
    )
    parser.add_argument("--url", help="another installation than the one that runs here; needs --key")
    parser.add_argument(
        "--key",
        help="API key with orders:read, orders:write and orders:recall (default: one of its own, without a rate limit)",
    )
    parser.add_argument(
        "--kitchen", metavar="SLUG", help="whose orders (default: main, or with --url the kitchen of the key)"
    )


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
