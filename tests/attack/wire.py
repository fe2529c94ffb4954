"""HTTP/1.1 on a plain socket, as well behaved or as badly as its caller likes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

# Longer heads than that no answer of ours has.
MOST_OF_A_HEAD = 64 * 1024
HOST = "127.0.0.1"


class Closed(ConnectionError):
    """The server ended the connection before its answer was whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of headers are in lower case; of those that come twice the last one counts, but for `cookies`."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes


class Wire:
    """One connection to this machine. `source` is the address that it comes from."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, source: str = HOST, *, window: int = 0, seconds: float = 10) -> Wire:
        """`window` is how much the kernel takes for a client that doesn't read. Raises OSError and TimeoutError."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if window:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            sock.bind((source, 0))
            async with asyncio.timeout(seconds):
                await asyncio.get_running_loop().sock_connect(sock, (HOST, port))
            # A reader with a small limit stops reading from the socket early.
            reader, writer = await asyncio.open_connection(sock=sock, limit=window or MOST_OF_A_HEAD)
        except BaseException:
            sock.close()
            raise
        return cls(reader, writer)

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def send(self, data: bytes) -> None:
        """Returns when the data are on their way. Raises OSError where the server has closed."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        """The next whole answer. Raises Closed."""
        try:
            # A 100 only says that the body may come.
            while (answer := await self._answer()).status < 200:
                pass
            return answer
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, OSError) as error:
            raise Closed(str(error)) from error

    async def _answer(self) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        status = int(first.split()[1])
        headers: dict[str, str] = {}
        cookies: dict[str, str] = {}
        for line in filter(None, lines):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
            if name.lower() == "set-cookie":
                cookie, _, rest = value.strip().partition("=")
                cookies[cookie] = rest.partition(";")[0]
        return Answer(status, headers, cookies, await self._body(status, headers))

    async def _body(self, status: int, headers: Mapping[str, str]) -> bytes:
        if status < 200 or status in (204, 304):
            return b""
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            return await self.reader.read()
        body = bytearray()
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            body += (await self.reader.readexactly(size + 2))[:size]
        await self.reader.readexactly(2)
        return bytes(body)

    async def ended(self) -> None:
        """Returns when the server has closed the connection; what it still sends is thrown away."""
        with contextlib.suppress(OSError):
            while await self.reader.read(MOST_OF_A_HEAD):
                pass

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.writer.close()

    def reset(self) -> None:
        """Ends the connection by TCP RST."""
        # With a linger of zero the kernel sends RST instead of an orderly end.
        sock = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):  # it has ended already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def head(method: str, path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """The first line and headers of a request, with the empty line after them."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {HOST}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """A whole request that says its length."""
    length = {"Content-Length": str(len(body))} if body or method not in ("GET", "HEAD") else {}
    return head(method, path, {**(headers or {}), **length}) + body


async def ask(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    source: str = HOST,
) -> Answer:
    """One request on a connection of its own. Raises OSError and TimeoutError."""
    wire = await Wire.open(port, source)
    try:
        await wire.send(request(method, path, {"Connection": "close", **(headers or {})}, body))
        return await wire.answer()
    finally:
        wire.close()
