"""The live process: event streams to screens. A plain ASGI application without Django, so that one process
holds thousands of streams."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def application(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        await _http(scope, send)
    else:
        await send({"type": "websocket.close", "code": 1008})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _http(scope: Message, send: Send) -> None:
    path, method = scope["path"], scope["method"]
    if path.rstrip("/") != "/livez":
        await _answer(
            send, method, 404, _problem(path, 404, "not_found", "Not Found", "Live has no such address.")
        )
    elif method not in ("GET", "HEAD"):
        problem = _problem(
            path, 405, "method_not_allowed", "Method Not Allowed", f"{method} is not possible here."
        )
        await _answer(send, method, 405, problem, [(b"allow", b"GET, HEAD")])
    else:
        await _answer(send, method, 200, {"status": "ok"})


def _problem(path: str, status: int, code: str, title: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"/api/docs#problem-{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
        "code": code,
        "requestId": "",
        "errors": [],
    }


async def _answer(
    send: Send,
    method: str,
    status: int,
    data: dict[str, Any],
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    body = json.dumps(data).encode()
    kind = b"application/json" if status == 200 else b"application/problem+json"
    fixed = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *(headers or [])]})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
