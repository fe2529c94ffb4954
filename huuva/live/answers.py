"""Short answers of live: JSON, problems (RFC 9457) and text."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

COMMON_HEADERS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


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
