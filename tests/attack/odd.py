"""Attackers who send what is not accepted, read answers byte by byte, or speak no HTTP."""

from __future__ import annotations

import asyncio
import os
import time

from tests.attack.stalling import Send, many, targets
from tests.attack.tally import Site, Tally
from tests.attack.wire import Closed, Wire, head, request

FILES, FILE_BYTES = 8, 8 * 1024 * 1024
PIECE = 65536
SLOW_READERS = 24
# The kernel's least.
WINDOW = 2304


async def uploads(site: Site, tally: Tally) -> None:
    """Files that nobody has asked for, FILES times FILE_BYTES in all."""
    bound = "attack-7c1f"
    first = (
        f'--{bound}\r\nContent-Disposition: form-data; name="file"; filename="menu.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    last = f"\r\n--{bound}--\r\n".encode()
    places = targets(site)[:FILES]
    size = FILE_BYTES // 2 if site.short else FILE_BYTES

    def upload(number: int) -> Send:
        place = places[number % len(places)]
        headers = {**place.headers, "Content-Type": f"multipart/form-data; boundary={bound}"}
        if "csrftoken" in headers.get("Cookie", ""):
            headers["X-CSRFToken"] = site.csrf

        async def send(wire: Wire) -> None:
            length = len(first) + size + len(last)
            await wire.send(head("POST", place.path, {**headers, "Content-Length": str(length)}) + first)
            for _ in range(size // PIECE):
                await wire.send(os.urandom(16) * (PIECE // 16))
            await wire.send(last)

        return send

    holders = [(places[number % len(places)].name, upload(number)) for number in range(FILES)]
    await many(site, tally, holders, stay=False)


async def slow_readers(site: Site, tally: Tally) -> None:
    """Big answers, asked for and then read a byte a second."""
    requests = [
        ("list of 200", "/api/orders?limit=200", {"Authorization": f"Bearer {site.crowded_key}"}),
        ("export", "/admin/orders/order/export/", {"Cookie": site.session}),
        ("board", "/display/board", {"Cookie": site.screen, "X-Requested-With": "fetch"}),
        *(("static file", path, dict[str, str]()) for path in site.static),
    ]

    async def read_slowly(number: int) -> None:
        target, path, headers = requests[number % len(requests)]
        try:
            wire = await Wire.open(site.port, site.source(number), window=WINDOW, seconds=min(site.left, 10))
        except (OSError, TimeoutError):
            tally.got("refused", target)
            return
        tally.opened += 1
        began, first = time.monotonic(), b""
        try:
            await wire.send(request("GET", path, headers))
            async with asyncio.timeout(site.left):
                first = await wire.reader.readexactly(12)
                tally.got(first.decode("latin-1").split()[1], target)
                while await wire.reader.read(1):
                    await asyncio.sleep(1)
            tally.ended_after(time.monotonic() - began)
        except TimeoutError:
            tally.held[target] += 1
        except (OSError, asyncio.IncompleteReadError):
            if not first:
                tally.got("closed", target)
            tally.ended_after(time.monotonic() - began)
        finally:
            wire.reset()

    await asyncio.gather(*map(read_slowly, range(6 if site.short else SLOW_READERS * len(requests))))


def _garbage(site: Site) -> list[tuple[str, bytes]]:
    order = targets(site)[2]
    line = b"POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return [
        ("random bytes", os.urandom(4096)),
        ("a TLS hello", bytes.fromhex("16030100c8010000c40303") + os.urandom(189)),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)),
        ("a line of 1 MB", b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n"),
        (
            "a header of 1 MB",
            b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: " + b"a" * 1_000_000 + b"\r\n\r\n",
        ),
        ("20,000 headers", line + b"".join(b"X-%d: a\r\n" % number for number in range(20_000)) + b"\r\n"),
        ("two lengths", line + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\n{}   GET"),
        (
            "length and chunks",
            line + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /",
        ),
        ("a length below zero", line + b"Content-Length: -5\r\n\r\n{}"),
        ("a length of words", line + b"Content-Length: five\r\n\r\n{}"),
        ("a chunk without end", line + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{"),
        ("chunks of words", line + b"Transfer-Encoding: chunked\r\n\r\nlength\r\n{"),
        ("unknown coding", line + b"Transfer-Encoding: gzip\r\n\r\n{"),
        ("no host", b"GET /livez HTTP/1.1\r\n\r\n"),
        ("two hosts", b"GET /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: other\r\n\r\n"),
        ("a NUL", b"GET /api/\0orders HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        ("HTTP/0.9", b"GET /livez\r\n\r\n"),
        ("a method of our own", b"BUMP /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        ("another server", b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n"),
        (
            "promises",
            head("POST", order.path, {**order.headers, "Content-Length": "9", "Expect": "100-continue"}),
        ),
        ("an upgrade", head("GET", "/livez", {"Connection": "Upgrade", "Upgrade": "websocket"})),
    ]


async def garbage(site: Site, tally: Tally) -> None:
    def say(data: bytes) -> Send:
        async def send(wire: Wire) -> None:
            await wire.send(data)

        return send

    await many(
        site,
        tally,
        [(name, say(data)) for _ in range(1 if site.short else 8) for name, data in _garbage(site)],
        stay=False,
    )


async def pipelined(site: Site, tally: Tally) -> None:
    """Connections that send all their requests before they read the first answer."""
    each = 20 if site.short else 200
    requests = [
        request("GET", "/livez"),
        request("GET", "/api/orders?limit=1", {"Authorization": f"Bearer {site.key}"}),
        request("GET", "/nothing"),
    ]

    async def one(number: int) -> None:
        try:
            async with asyncio.timeout(site.left):
                wire = await Wire.open(site.port, site.source(number))
                tally.opened += 1
                try:
                    wire.write(b"".join(requests[turn % len(requests)] for turn in range(each)))
                    for _ in range(each):
                        tally.got((await wire.answer()).status, "pipeline")
                finally:
                    wire.reset()
        except TimeoutError:
            tally.held["pipeline"] += 1
        except Closed:
            tally.got("closed", "pipeline")
        except OSError:
            tally.got("refused", "pipeline")

    await asyncio.gather(*map(one, range(4 if site.short else 24)))
