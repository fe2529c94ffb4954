"""The live process as an ASGI application: streams of hints to screens, a health check, metrics."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final
from urllib.parse import parse_qs

from structlog import get_logger

from core.gauges import CONTENT_TYPE
from core.stream_tokens import STREAMS_PATH, BadToken, Grant, read_token
from huuva.live.answers import Headers, Message, Receive, Refusal, Send, answer, metrics, refuse
from huuva.live.environment import Environment, Origins
from huuva.live.streams import TICK_SECONDS, Stream, Streams
from huuva.live.subscriber import Subscriber

RETRY_AFTER_SECONDS: Final = 5
STREAM_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    # Proxies must not cache, compress or buffer events, which should arrive at once.
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)

log = get_logger(__name__)


class LiveApp:
    """One per process. It serves from `lifespan.startup` on; raises ValueError for a wrong Valkey URL."""

    def __init__(self, environment: Environment) -> None:
        self._secret_key = environment.secret_key
        self._origins = Origins(environment.origins, environment.web_port)
        self.streams = Streams(environment.most_streams)
        self._subscriber = Subscriber(
            environment.redis_url, self.streams.hint, self.streams.end_pairing, self.streams.set_valkey
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._tasks = [asyncio.create_task(self._subscriber.run()), asyncio.create_task(self._tick())]
        for task in self._tasks:
            task.add_done_callback(_die)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
        self.streams.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            # From one due time to the next, so that the work in between doesn't delay the ticks.
            due = max(due + TICK_SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())
            self.streams.tick()

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        cors: Headers = ()
        try:
            if sum(name == b"host" for name, _ in scope["headers"]) > 1:
                # A proxy in front may have used the other one.
                detail = "A request names one host: send a single Host header."
                raise Refusal(400, "bad_request", "Bad Request", detail)
            # With and without the /live that a proxy may remove.
            if path in (STREAMS_PATH, STREAMS_PATH.removeprefix("/live")):
                cors = self._cors(scope)
                await self._streams(scope, receive, send, cors)
            elif path in ("/livez", "/metrics"):
                await self._page(path, scope["method"], send)
            else:
                raise Refusal(404, "not_found", "Not Found", "Live has no such address.")
        except Refusal as refusal:
            await refuse(send, scope["path"], refusal, cors)

    async def _page(self, path: str, method: str, send: Send) -> None:
        if method not in ("GET", "HEAD"):
            raise _wrong_method(method, b"GET, HEAD")
        if path == "/livez":
            content_type, body = b"application/json", b'{"status": "ok"}'
        else:
            content_type, body = CONTENT_TYPE.encode(), metrics(self.streams)
        await answer(send, 200, content_type, b"" if method == "HEAD" else body)

    async def _streams(self, scope: Message, receive: Receive, send: Send, cors: Headers) -> None:
        method = scope["method"]
        if method == "OPTIONS":
            allowed = (
                (b"access-control-allow-methods", b"GET"),
                (b"access-control-allow-headers", b"cache-control, last-event-id"),
                (b"access-control-max-age", b"86400"),
            )
            await answer(send, 204, b"", b"", (*cors, *allowed))
            return
        if method != "GET":
            raise _wrong_method(method, b"GET, OPTIONS")
        grant = self._grant(scope["query_string"])
        if self.streams.is_full:
            log.error("live_full", streams=len(self.streams))
            raise Refusal(
                503,
                "too_many_streams",
                "Service Unavailable",
                f"All {self.streams.most} streams are taken: the screen goes on by asking web.",
                [(b"retry-after", str(RETRY_AFTER_SECONDS).encode())],
            )
        await self._stream(grant, receive, send, cors)

    def _grant(self, query: bytes) -> Grant:
        token = parse_qs(query.decode("latin-1")).get("token", [""])[0]
        try:
            grant = read_token(self._secret_key, token)
        except BadToken as bad:
            raise Refusal(403, bad.code, "Forbidden", bad.detail) from None
        if self.streams.has_ended(grant.pairing):
            detail = "This browser is no longer the screen: load the page again."
            raise Refusal(403, "token_revoked", "Forbidden", detail)
        return grant

    async def _stream(self, grant: Grant, receive: Receive, send: Send, cors: Headers) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (a coroutine that runs has a task)
        stream = self.streams.open(grant, task.cancel)
        watcher = asyncio.create_task(_close_when_gone(stream, receive))
        try:
            headers = [*STREAM_HEADERS, *cors]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while (chunk := await stream.take()) is not None:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            # Dropped. Returning without an end of the body closes the connection.
            log.info("live_stream_dropped", kitchen=grant.kitchen, screen=grant.screen)
        finally:
            self.streams.remove(stream)
            watcher.cancel()

    def _cors(self, scope: Message) -> Headers:
        """Headers for a page of another origin. Raises Refusal if the origin is not trusted."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        if not origin:
            return ()
        if not self._origins.allow(origin, headers.get(b"host", b"").decode("latin-1")):
            raise Refusal(
                403,
                "origin_not_allowed",
                "Forbidden",
                f"Pages of {origin} may not listen here: put it into HUUVA_TRUSTED_ORIGINS.",
            )
        return ((b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin"))


async def _close_when_gone(stream: Stream, receive: Receive) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass
        stream.close()


def _die(task: asyncio.Task[None]) -> None:
    """Without its subscription or its tick this process only looks alive: end it, and granian starts another."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("live_failed", exc_info=task.exception())
        raise SystemExit(1)


def _wrong_method(method: str, allowed: bytes) -> Refusal:
    detail = f"{method} is not possible here."
    return Refusal(405, "method_not_allowed", "Method Not Allowed", detail, [(b"allow", allowed)])
