"""`python -m tests.attack.attackers NAME`: one attack. The site comes as JSON on standard input, the tally goes out as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.attack import floods, odd, stalling
from tests.attack.tally import Site, Tally


@dataclass(frozen=True, slots=True)
class Attack:
    """`seconds`: after so many the attackers give up. `holds`: they keep connections, which the server must end."""

    what: str
    run: Callable[[Site, Tally], Awaitable[None]]
    seconds: float
    holds: bool = False


ATTACKS = {
    "stalled": Attack("24 stalled bodies at each place", stalling.stalled, 14, holds=True),
    "stalled-300": Attack("300 stalled bodies at each place", stalling.stalled_by_300, 18, holds=True),
    "dripping": Attack("bodies, a byte each half second", stalling.dripping, 14, holds=True),
    "dripping-headers": Attack(
        "300 heads, a byte each half second", stalling.dripping_headers, 14, holds=True
    ),
    "endless": Attack("chunked bodies without an end", stalling.endless, 14, holds=True),
    "huge-length": Attack("bodies of 2 GB that stall", stalling.huge_length, 14, holds=True),
    "forms": Attack("16 forms that stall after 1.3 MB", stalling.forms, 14, holds=True),
    "idle": Attack("1,500 connections that say nothing", stalling.idle, 10),
    "idle-live": Attack("the same at live", stalling.idle_live, 6),
    "keep-alive": Attack("1,500 connections kept after a request", stalling.keep_alive, 8),
    "logins": Attack("24 clients log in by new names", floods.logins, 8),
    "pairing": Attack("1,000 browsers want a code", floods.pairing, 12),
    "boards": Attack("300 boards of 800 orders, abandoned", floods.boards, 8),
    "wrong-keys": Attack("3,000 calls with wrong keys", floods.wrong_keys, 8),
    "not-found": Attack("3,000 addresses that are none", floods.not_found, 8),
    "uploads": Attack("files, 64 MiB of them", odd.uploads, 8),
    "slow-readers": Attack("big answers read a byte a second", odd.slow_readers, 8),
    "pipelined": Attack("24 times 200 requests at once", odd.pipelined, 8),
    "garbage": Attack("what is no HTTP, or odd HTTP", odd.garbage, 8),
}
# All at once in the short form. A limit of logins by address would be met by the others of a shared one.
SHORT = (
    "stalled", "dripping-headers", "endless", "huge-length", "forms", "idle", "pairing", "uploads", "garbage",
)  # fmt: skip
SHORT_SECONDS = 13.0
# Attackers have machines of their own; on this one they give way to those whom they attack.
NICE = 5


async def attack(name: str, site: Site) -> Tally:
    """At the latest when the site's seconds are over, and a little for the ends, it is over."""
    tally = Tally()
    try:
        async with asyncio.timeout(site.seconds + 3):
            await ATTACKS[name].run(site, tally)
    except TimeoutError:
        tally.got("overdue")
    return tally


if __name__ == "__main__":
    os.nice(NICE)
    tally = asyncio.run(attack(sys.argv[1], Site(**json.load(sys.stdin))))
    print(json.dumps(tally.as_json()))
