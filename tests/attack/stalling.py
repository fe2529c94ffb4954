"""Attackers who hold connections: they send a part of a request and wait, drip, never end, or never begin."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from tests.attack.tally import Site, Tally
from tests.attack.wire import Closed, Wire, head, request

# A burst of so many at once; more of them wait for their turn, as the kernel's queue of new connections is short.
AT_ONCE = 100
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DRIP_SECONDS = 0.5
# Faster than any minimum rate, so that only a limit of size or time ends it.
STEADY_BYTES, STEADY_SECONDS = 4096, 0.25
FAST_BYTES, FAST_SECONDS = 65536, 0.05
# A body without an end is given up after so much.
MOST_BYTES = 8 * 1024 * 1024
FORM_BYTES = 1_300_000


class Target(NamedTuple):
    name: str
    method: str
    path: str
    headers: dict[str, str]


def targets(site: Site) -> list[Target]:
    """Every kind of place that a body can be sent to."""
    key = {"Authorization": f"Bearer {site.key}"}
    signed = {"X-Server-Authorization-HMAC-SHA256": "00", "X-Huuva-Signature": "00"}
    csrf = {"Cookie": f"csrftoken={site.csrf}"}
    screen = {"Cookie": f"csrftoken={site.csrf}; {site.screen}", "X-CSRFToken": site.csrf}
    return [
        Target("channel", "POST", "/api/channels/deliverect/orders", JSON | signed),
        Target("login", "POST", "/admin/login/", FORM | csrf),
        Target("key", "POST", "/api/orders", JSON | key),
        Target("no key", "POST", "/api/orders", JSON),
        Target("unknown", "POST", "/nothing/here", JSON),
        Target("mapped channel", "POST", "/api/channels/generic/attack/orders", JSON | signed),
        Target("unknown in the API", "POST", "/api/nothing", JSON | key),
        Target("a move", "PATCH", "/api/orders/attack", JSON | key),
        Target("a screen", "POST", "/display/bump", FORM | screen),
        Target("a read with a body", "GET", "/api/orders", JSON | key),
        Target("a probe with a body", "POST", "/livez", JSON),
    ]


def with_length(target: Target, length: int) -> bytes:
    return head(target.method, target.path, {**target.headers, "Content-Length": str(length)})


def chunked(target: Target) -> bytes:
    return head(target.method, target.path, {**target.headers, "Transfer-Encoding": "chunked"})


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


type Send = Callable[[Wire], Awaitable[None]]


async def hold(
    site: Site, tally: Tally, number: int, target: str, send: Send, port: int = 0, *, stay: bool = True
) -> None:
    """Opens a connection, lets `send` do its worst, and notes what comes back and when the server ends it.

    Without `stay` it goes away as soon as it is answered.
    """
    try:
        wire = await Wire.open(port or site.port, site.source(number), seconds=min(site.left, 10))
    except (OSError, TimeoutError):
        tally.got("refused", target)
        return
    tally.opened += 1
    began = time.monotonic()
    sending = asyncio.ensure_future(_quietly(send(wire)))
    try:
        async with asyncio.timeout(site.left):
            try:
                tally.got((await wire.answer()).status, target)
                if stay:
                    await wire.ended()
            except Closed:
                tally.got("closed", target)
        tally.ended_after(time.monotonic() - began)
    except TimeoutError:
        tally.held[target] += 1
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
        wire.reset()


async def _quietly(sending: Awaitable[None]) -> None:
    # The server has closed: what it thought of the request is read from its answer.
    with contextlib.suppress(OSError):
        await sending


async def many(
    site: Site, tally: Tally, holders: list[tuple[str, Send]], port: int = 0, *, stay: bool = True
) -> None:
    """All of them, AT_ONCE beginning at a time; each goes on as long as the server bears with it."""
    async with asyncio.TaskGroup() as tasks:
        for number, (target, send) in enumerate(holders):
            tasks.create_task(hold(site, tally, number, target, send, port, stay=stay))
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0.1)


def _first_byte(number: int, target: Target) -> Send:
    """Content-Length and chunked in turn."""
    data = with_length(target, 5000) + b"{" if number % 2 == 0 else chunked(target) + b"5000\r\n{"

    async def send(wire: Wire) -> None:
        await wire.send(data)

    return send


async def stalled(site: Site, tally: Tally, each: int = 24) -> None:
    everywhere = targets(site)
    if site.short:
        each = 8
    await many(
        site, tally, [(one.name, _first_byte(number, one)) for number in range(each) for one in everywhere]
    )


async def stalled_by_300(site: Site, tally: Tally) -> None:
    await stalled(site, tally, 300)


async def dripping(site: Site, tally: Tally) -> None:
    def drip(number: int, target: Target) -> Send:
        async def send(wire: Wire) -> None:
            await wire.send(with_length(target, 5000) if number % 2 == 0 else chunked(target))
            async for _ in _beats(site, DRIP_SECONDS):
                await wire.send(b" " if number % 2 == 0 else chunk(b" "))

        return send

    everywhere, each = targets(site), 2 if site.short else 8
    await many(site, tally, [(one.name, drip(number, one)) for number in range(each) for one in everywhere])


async def dripping_headers(site: Site, tally: Tally) -> None:
    def drip(number: int) -> Send:
        async def send(wire: Wire) -> None:
            await wire.send(b"POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            async for _ in _beats(site, DRIP_SECONDS):
                await wire.send(b"a" if number % 2 else b"a\r\nX-Slow: ")

        return send

    await many(site, tally, [("headers", drip(number)) for number in range(24 if site.short else 300)])


async def endless(site: Site, tally: Tally) -> None:
    """Chunked bodies without an end, half of them fast and half of them just busy enough to look alive."""

    def pour(number: int, target: Target) -> Send:
        size, pause = (FAST_BYTES, FAST_SECONDS) if number % 2 else (STEADY_BYTES, STEADY_SECONDS)

        async def send(wire: Wire) -> None:
            await wire.send(chunked(target))
            sent = 0
            async for _ in _beats(site, pause):
                await wire.send(chunk(b" " * size))
                sent += size
                if sent >= MOST_BYTES:
                    return

        return send

    everywhere, each = targets(site), 1 if site.short else 4
    await many(site, tally, [(one.name, pour(number, one)) for number in range(each) for one in everywhere])


async def huge_length(site: Site, tally: Tally) -> None:
    """Two gigabytes are announced, and 64 KiB of them sent."""

    def announce(target: Target) -> Send:
        async def send(wire: Wire) -> None:
            await wire.send(with_length(target, 2 * 1024**3) + b" " * 65536)

        return send

    everywhere, each = targets(site), 1 if site.short else 4
    await many(site, tally, [(one.name, announce(one)) for _ in range(each) for one in everywhere])


async def forms(site: Site, tally: Tally) -> None:
    """Forms that are within every limit of size, and stall in the middle."""
    form = next(one for one in targets(site) if one.name == "login")

    async def send(wire: Wire) -> None:
        await wire.send(with_length(form, 2 * FORM_BYTES) + b"username=" + b"a" * FORM_BYTES)

    await many(site, tally, [("login", send)] * (4 if site.short else 16))


async def idle(site: Site, tally: Tally) -> None:
    await many(site, tally, [("web", _nothing)] * (100 if site.short else 1500))


async def idle_live(site: Site, tally: Tally) -> None:
    await many(site, tally, [("live", _nothing)] * (100 if site.short else 1500), site.port + 1)


async def keep_alive(site: Site, tally: Tally) -> None:
    """Each asks once and then keeps its connection."""

    async def send(wire: Wire) -> None:
        await wire.send(request("GET", "/livez"))

    await many(site, tally, [("web", send)] * (100 if site.short else 1500))


async def _nothing(wire: Wire) -> None:
    """Says nothing."""


async def _beats(site: Site, pause: float) -> AsyncIterator[None]:
    """One now and one after each pause, until the attackers give up."""
    while site.left > pause:
        yield
        await asyncio.sleep(pause)
