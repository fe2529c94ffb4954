"""How hints travel from web to live: a channel of Valkey for each kitchen.

A hint says that something changed, never what: the truth is fetched from web. By the same channel live is told that a
pairing has ended; for processes that don't listen at that moment it stands in a sorted set of Valkey, too.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from core.monotonic import is_stamp

KITCHENS: Final = "huuva:kitchen:"
ORDERS: Final = "orders"  # an order of the kitchen
SCREENS: Final = "screens"  # its stations, screens, settings, alarms: what shows orders
KINDS: Final = frozenset({ORDERS, SCREENS})
ENDED: Final = "ended"
# Pairings that have ended, by the time (seconds since 1970) from which none of their tokens is valid any more.
ENDED_PAIRINGS: Final = "huuva:ended-pairings"


def channel(kitchen: str) -> str:
    return f"{KITCHENS}{kitchen}"


class Hint(NamedTuple):
    """Something of `kind` changed in `kitchen`.

    `at_ms` is the time of the (first) commit, for measuring the way to the screen. `moment` (core.monotonic) is after
    the (last) one: a board that was read later on that clock shows the change already. Empty: nobody knows.
    """

    kitchen: str
    kind: str
    at_ms: int | None = None
    moment: str = ""


class Ended(NamedTuple):
    """A pairing whose streams and tokens are no good any more."""

    pairing: str


def ended_message(pairing: str) -> str:
    """What is published; see Ended."""
    return json.dumps({"v": 1, "kind": ENDED, "pairing": pairing}, separators=(",", ":"))


def message(kind: str, at_ms: int, moment: str = "") -> str:
    """What is published; see Hint."""
    words = {"v": 1, "kind": kind, "at": at_ms}
    return json.dumps({**words, "moment": moment} if moment else words, separators=(",", ":"))


def read(channel_name: bytes, data: bytes) -> Hint | Ended | None:
    """None for what isn't ours: anybody may publish there."""
    try:
        words = json.loads(data)
        kind, at, moment = words["kind"], words.get("at"), words.get("moment")
        if words["v"] == 1 and kind == ENDED and isinstance(words["pairing"], str):
            return Ended(words["pairing"])
        if words["v"] != 1 or kind not in KINDS:
            return None
        kitchen = channel_name.decode().removeprefix(KITCHENS)
        at_ms = at if isinstance(at, int) else None
        return Hint(kitchen, kind, at_ms, moment if is_stamp(moment) else "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
