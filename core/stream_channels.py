"""Messages from web to live: a channel of Valkey for each kitchen.

A hint says that something changed, never what: the screen fetches that from web. The same channel says that a pairing
has ended. Ended pairings are also in a sorted set, for processes that weren't listening.
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

    `at_ms` is the time of the (first) commit, to measure how long the way to the screen takes. `moment` is a stamp of
    core.monotonic after the (last) commit: a board read later by that clock shows the change already. Empty: unknown.
    """

    kitchen: str
    kind: str
    at_ms: int | None = None
    moment: str = ""


class Ended(NamedTuple):
    """A pairing whose streams and tokens are no longer valid."""

    pairing: str


def ended_message(pairing: str) -> str:
    """The message to publish; see Ended."""
    return json.dumps({"v": 1, "kind": ENDED, "pairing": pairing}, separators=(",", ":"))


def message(kind: str, at_ms: int, moment: str = "") -> str:
    """The message to publish; see Hint."""
    fields = {"v": 1, "kind": kind, "at": at_ms}
    return json.dumps({**fields, "moment": moment} if moment else fields, separators=(",", ":"))


def read(channel_name: bytes, data: bytes) -> Hint | Ended | None:
    """None for a message that isn't ours: others may publish there, too."""
    try:
        fields = json.loads(data)
        kind, at, moment = fields["kind"], fields.get("at"), fields.get("moment")
        if fields["v"] == 1 and kind == ENDED and isinstance(fields["pairing"], str):
            return Ended(fields["pairing"])
        if fields["v"] != 1 or kind not in KINDS:
            return None
        kitchen = channel_name.decode().removeprefix(KITCHENS)
        at_ms = at if isinstance(at, int) else None
        return Hint(kitchen, kind, at_ms, moment if is_stamp(moment) else "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
