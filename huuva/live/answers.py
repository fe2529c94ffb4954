"""The answers of live that are no streams: JSON, problems (RFC 9457) and metrics."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from typing import Any, Final

from prometheus_client.core import Metric

from core.gauges import counter, exposition, gauge
from huuva.live.streams import Streams

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

COMMON_HEADERS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))

COUNTERS: Final = {
    "opened": ("huuva_live_streams_opened_total", "Streams opened since the start."),
    "dropped": ("huuva_live_streams_dropped_total", "Streams ended because their client did not read."),
    "revoked": ("huuva_live_streams_revoked_total", "Streams ended because their browser lost the screen."),
    "hints_received": ("huuva_live_hints_received_total", "Hints received from Valkey."),
    "hints_passed": ("huuva_live_hints_passed_total", "Hints passed on, counted per stream."),
}


class Refusal(Exception):
    """Becomes a problem document."""

    def __init__(self, status: int, code: str, title: str, detail: str, headers: Headers = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.headers = headers

    def document(self, path: str) -> dict[str, object]:
        return {
            "type": f"/api/problems#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": str(self),
            "instance": path,
            "code": self.code,
            "requestId": "",
            "errors": [],
        }


async def refuse(send: Send, path: str, refusal: Refusal, headers: Headers = ()) -> None:
    body = json.dumps(refusal.document(path)).encode()
    await answer(send, refusal.status, b"application/problem+json", body, (*refusal.headers, *headers))


async def answer(send: Send, status: int, content_type: bytes, body: bytes, headers: Headers = ()) -> None:
    content = (
        [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
        if status != 204
        else []
    )
    await send(
        {"type": "http.response.start", "status": status, "headers": [*content, *COMMON_HEADERS, *headers]}
    )
    await send({"type": "http.response.body", "body": body})


def metrics(streams: Streams) -> bytes:
    """The body of GET /metrics, for Prometheus."""
    return exposition(_collected(streams)).encode()


def _collected(streams: Streams) -> Iterator[Metric]:
    yield gauge("huuva_live_streams", "Screens connected now.", [({}, len(streams))])
    yield gauge(
        "huuva_live_valkey_up", "1 while hints can be received, else 0.", [({}, int(streams.valkey_up))]
    )
    for key, (name, text) in COUNTERS.items():
        yield counter(name, text, [({}, streams.counts[key])])
    yield counter(
        "huuva_live_hint_delay_seconds_total",
        "Total time from commit to here of all received hints.",
        [({}, round(streams.delay_seconds, 6))],
    )
