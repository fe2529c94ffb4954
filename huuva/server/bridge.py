"""WSGI (PEP 3333) on granian's requests and answers."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from huuva.server.requests import Headers, Request

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

_CONSTANT: Final[dict[str, Any]] = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "granian",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


class FileWrapper:
    """`wsgi.file_wrapper`: a file that granian sends by itself, so that a slow reader occupies no thread."""

    def __init__(self, file: Any, block_size: int = 8192) -> None:
        self.file = file
        self._block_size = block_size
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        data: bytes = self.file.read(self._block_size)
        if not data:
            raise StopIteration
        return data


class StartResponse:
    """Called by Django with the head of its answer."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status = 500
        self.headers: Headers = []

    def __call__(self, status: str, headers: Headers, exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = headers


class Bridge:
    """Answers requests with a WSGI application. With `closing` set, connections end with their answer."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.closing = False

    def respond(self, request: Request) -> None:
        start = StartResponse()
        answer = self._application(environ(request), start)
        headers = start.headers
        if self.closing:
            headers.append(("connection", "close"))
        try:
            if isinstance(answer, FileWrapper) and start.status == 200 and _is_whole_file(answer.file):
                request.protocol.response_file(start.status, headers, os.path.abspath(answer.file.name))
            elif getattr(answer, "streaming", False):
                # Sent while it is generated; what the client has not read yet is in memory.
                stream = request.protocol.response_stream(start.status, headers)
                for chunk in answer:
                    stream.send_bytes(chunk)
            else:
                request.answer(start.status, headers, b"".join(answer))
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()


def environ(request: Request) -> dict[str, Any]:
    """The WSGI environment. Header names with an underscore are left out: they could imitate others."""
    scope = request.scope
    server, _, port = scope.server.rpartition(":")
    environment = {
        **_CONSTANT,
        "REQUEST_METHOD": scope.method,
        # Django expects the bytes of the path as Latin-1 text.
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.file_wrapper": FileWrapper,
    }
    headers = scope.headers
    items = headers.items()
    for name, value in items:
        key = _variable(name)
        if key is None:
            continue
        before = environment.get(key)
        if before is None:
            environment[key] = value
        else:
            environment[key] = f"{before}; {value}" if key == "HTTP_COOKIE" else f"{before},{value}"
    if len(items) < len(headers) or len({name for name, _ in items}) < len(headers):
        _add_unreadable(environment, headers)
    if request.body:
        # A chunked body has no Content-Length of its own.
        environment["CONTENT_LENGTH"] = str(len(request.body))
        environment.pop("HTTP_TRANSFER_ENCODING", None)
    environment.setdefault("HTTP_HOST", scope.authority or "")
    return environment


def _add_unreadable(environment: dict[str, Any], headers: Any) -> None:
    """Headers whose value is not ASCII are added as empty: they must not look as if they were not sent."""
    for name in headers.keys():  # noqa: SIM118  (granian's headers are no dict)
        key = _variable(name)
        if key is not None:
            environment.setdefault(key, "")


@lru_cache(maxsize=1024)
def _variable(name: str) -> str | None:
    if "_" in name:
        return None
    if name in ("content-type", "content-length"):
        return name.upper().replace("-", "_")
    return "HTTP_" + name.upper().replace("-", "_")


def _is_whole_file(file: Any) -> bool:
    name = getattr(file, "name", None)
    return isinstance(name, str) and os.path.isfile(name) and file.tell() == 0
