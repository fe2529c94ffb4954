"""Sends messages: a thread with hundreds of connections at once, which knows nothing of the database.

Messages go in by `submit`, outcomes come out by `take`. Redirects are failures, proxies of the environment are ignored,
cookies are not stored, and of an answer only the bytes that are stored are read.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import resource
import socket
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from integrations.deliveries.guard import Refused, guarded_socket
from integrations.deliveries.kinds import Message

TIMEOUT_SECONDS: Final = 10.0
# After the head of an answer, for the first bytes of its body, which only the log needs.
BODY_SECONDS: Final = 1.0
ANSWER_BYTES: Final = 256
# Shorter than servers keep idle connections, so that no POST is sent on one that is just being closed.
KEEPALIVE_SECONDS: Final = 2.0
# A name server that hangs holds a thread; receivers that are not healthy must not hold those of the others.
DNS_THREADS: Final = 16
DNS_THREADS_UNHEALTHY: Final = 64
MAX_CONNECTIONS: Final = 2000
SPARE_FILES: Final = 200
USER_AGENT: Final = "Huuva-Webhooks/1"

_healthy: contextvars.ContextVar[bool] = contextvars.ContextVar("healthy", default=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attempt. `status` is None where no answer came; `error` is then the code of the reason."""

    id: int
    status: int | None
    ms: int
    error: str = ""
    answer: str = ""

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def connection_limit() -> int:
    """How many connections this process may have at once; raises its own limit of open files where it can."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(16, min(MAX_CONNECTIONS, soft - SPARE_FILES))


class Sender:
    """Sends in the background while its `with` block runs; what is in flight at the end is cancelled."""

    def __init__(self) -> None:
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
        self._ready = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def submit(self, messages: Iterable[tuple[int, Message]], *, healthy: bool) -> None:
        """Begin to send; each message gets one outcome. `healthy`: the last answers of the receivers were successes."""
        self._loop.call_soon_threadsafe(self._begin, list(messages), healthy)

    def take(self, wait: float, gather: float) -> list[Outcome]:
        """The outcomes so far; waits up to `wait` seconds for the first, then `gather` seconds for more."""
        outcomes: list[Outcome] = []
        try:
            outcomes.append(self._outcomes.get(timeout=wait))
            if gather:
                time.sleep(gather)
            while True:
                outcomes.append(self._outcomes.get_nowait())
        except queue.Empty:
            return outcomes

    def _begin(self, batch: list[tuple[int, Message]], healthy: bool) -> None:
        _healthy.set(healthy)  # the tasks copy it
        for id, message in batch:
            task = self._loop.create_task(self._send(id, message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, id: int, message: Message) -> None:
        began = time.monotonic()
        status, error, answer = None, "", ""
        try:
            async with self._session.request(
                message.method,
                URL(message.url, encoded=True),
                data=message.body,
                headers=message.headers,
                allow_redirects=False,
            ) as response:
                status = response.status
                answer = await _first_bytes(response)
        except Exception as failure:  # noqa: BLE001  (every failure of a receiver is an outcome)
            if status is None:
                error = error_code(failure)
        self._outcomes.put(Outcome(id, status, round((time.monotonic() - began) * 1000), error, answer))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        resolver = _Resolver(self._loop)
        self._loop.run_until_complete(self._open(resolver))
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._close())
            self._loop.close()
            resolver.shut()

    async def _open(self, resolver: _Resolver) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                ttl_dns_cache=30,
                resolver=resolver,
                socket_factory=guarded_socket,
                keepalive_timeout=KEEPALIVE_SECONDS,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            trust_env=False,
            auto_decompress=False,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Accept": "*/*"},
        )

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()


async def _first_bytes(response: aiohttp.ClientResponse) -> str:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            data = await response.content.read(ANSWER_BYTES)
    except (TimeoutError, aiohttp.ClientError, OSError):
        return ""  # The status is known; the body is only for the log.
    # PostgreSQL stores no NUL.
    return data.decode("utf-8", "replace").replace("\x00", "")


def error_code(failure: BaseException) -> str:
    """Why no answer came: timeout, address_refused, bad_url, dns, tls, connect, disconnected, or bad_answer."""
    if isinstance(failure, TimeoutError):
        return "timeout"
    cause = getattr(failure, "os_error", failure)
    # For a name with several addresses, aiohttp raises one error that repeats the texts of all.
    if isinstance(cause, Refused) or Refused.text in str(cause):
        return "address_refused"
    if isinstance(failure, aiohttp.InvalidURL):
        return "bad_url"
    if isinstance(failure, aiohttp.ClientConnectorDNSError | UnicodeError):
        return "dns"
    if isinstance(failure, aiohttp.ClientSSLError):
        return "tls"
    if isinstance(failure, aiohttp.ClientConnectorError):
        return "connect"
    if isinstance(failure, aiohttp.ServerDisconnectedError | OSError):
        return "disconnected"
    return "bad_answer"


class _Resolver(AbstractResolver):
    """The system's resolver, in threads; receivers that are not healthy have threads of their own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pools = {
            True: ThreadPoolExecutor(DNS_THREADS, "dns"),
            False: ThreadPoolExecutor(DNS_THREADS_UNHEALTHY, "dns-unhealthy"),
        }

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._loop.run_in_executor(
            self._pools[_healthy.get()], _look_up, host, port, family
        )
        return [
            {
                "hostname": host,
                "host": address[0],
                "port": address[1],
                "family": family,
                "proto": protocol,
                "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            }
            for family, _, protocol, _, address in addresses
        ]

    async def close(self) -> None:
        """The pools end with the sender's thread."""

    def shut(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)


__all__ = ["Outcome", "Sender", "connection_limit", "error_code"]
