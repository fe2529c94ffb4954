"""How hints travel from web to live: a channel of Valkey for each kitchen.

A hint says that something changed, never what: the truth is fetched from web.
"""

from __future__ import annotations

import json
from typing import Final

KITCHENS: Final = "huuva:kitchen:"
ORDERS: Final = "orders"  # an order of the kitchen
SCREENS: Final = "screens"  # its stations, screens, settings, alarms: what shows orders
KINDS: Final = frozenset({ORDERS, SCREENS})


def channel(kitchen: str) -> str:
    return f"{KITCHENS}{kitchen}"


def message(kind: str, at_ms: int) -> str:
    """What is published; `at_ms` is the moment of the commit, for measuring the way to the screen."""
    return json.dumps({"v": 1, "kind": kind, "at": at_ms}, separators=(",", ":"))


def read(channel_name: bytes, data: bytes) -> tuple[str, str, int | None] | None:
    """Kitchen, kind and time; None for what isn't ours: anybody may publish there."""
    try:
        words = json.loads(data)
        kind, at = words["kind"], words.get("at")
        if words["v"] != 1 or kind not in KINDS:
            return None
        return channel_name.decode().removeprefix(KITCHENS), kind, at if isinstance(at, int) else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
