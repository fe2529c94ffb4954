"""The WSGI environment of a request, and the answer to it."""

from __future__ import annotations

from typing import Any

import pytest

from huuva.server.bridge import Bridge, FileWrapper, environ
from huuva.server.requests import Request
from huuva.server.tests.granian_doubles import Protocol, Scope


class ManyHeaders:
    """granian's headers: names that come twice, and values that are no ASCII."""

    def __init__(self, *items: tuple[str, str | None]) -> None:
        self._items = items

    def items(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self._items if value is not None]

    def keys(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self._items))

    def __len__(self) -> int:
        return len(self.keys())


def environment(
    *items: tuple[str, str | None], path: str = "/api/orders", body: bytes = b""
) -> dict[str, Any]:
    scope = Scope(path)
    scope.headers = ManyHeaders(*items)  # type: ignore[assignment]
    request = Request(scope, Protocol(), path)
    request.body = body
    return environ(request)


def test_addresses_come_without_their_ports() -> None:
    assert environment()["REMOTE_ADDR"] == "192.0.2.7"
    assert environment()["SERVER_PORT"] == "8000"


def test_path_is_the_bytes_of_the_address() -> None:
    assert environment(path="/api/orders/ä🍔")["PATH_INFO"].encode("latin-1").decode() == "/api/orders/ä🍔"


@pytest.mark.parametrize(
    "name, variable, joined",
    [
        ("host", "HTTP_HOST", "a,b"),
        ("cookie", "HTTP_COOKIE", "a; b"),
        ("x-forwarded-for", "HTTP_X_FORWARDED_FOR", "a,b"),
    ],
)
def test_header_that_comes_twice_is_joined(name: str, variable: str, joined: str) -> None:
    assert environment((name, "a"), (name, "b"))[variable] == joined


def test_header_with_an_underscore_cannot_imitate_another() -> None:
    sent = environment(("x-forwarded-for", "192.0.2.1"), ("x_forwarded_for", "203.0.113.9"))

    assert sent["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"


def test_header_that_is_not_ascii_is_empty() -> None:
    assert environment(("idempotency-key", None))["HTTP_IDEMPOTENCY_KEY"] == ""


def test_chunked_body_has_its_length_for_django() -> None:
    sent = environment(("transfer-encoding", "chunked"), body=b"{}")

    assert sent["CONTENT_LENGTH"] == "2"
    assert "HTTP_TRANSFER_ENCODING" not in sent
    assert sent["wsgi.input"].read() == b"{}"


def test_answer_is_closed_after_it_was_sent() -> None:
    closed: list[bool] = []

    class Answer(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def application(environ: dict[str, Any], start: Any) -> Any:
        start("201 Created", [("x-a", "b")])
        return Answer([b"on", b"e"])

    protocol = Protocol()
    Bridge(application).respond(Request(Scope(), protocol, "/"))

    assert protocol.answers == [(201, {"x-a": "b"}, b"one")]
    assert closed == [True]


def test_answers_of_a_closing_worker_end_their_connection() -> None:
    def application(environ: dict[str, Any], start: Any) -> Any:
        start("200 OK", [])
        return [b""]

    bridge, protocol = Bridge(application), Protocol()
    bridge.closing = True
    bridge.respond(Request(Scope(), protocol, "/"))

    assert protocol.answers[0][1]["connection"] == "close"


def test_file_is_sent_by_the_server_itself(tmp_path: Any) -> None:
    path = tmp_path / "style.css"
    path.write_bytes(b"body {}")
    sent: list[tuple[int, str]] = []

    class Files(Protocol):
        def response_file(self, status: int, headers: list[tuple[str, str]], name: str) -> None:
            sent.append((status, name))

    def application(environ: dict[str, Any], start: Any) -> Any:
        start("200 OK", [])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    Bridge(application).respond(Request(Scope(), Files(), "/static/style.css"))

    assert sent == [(200, str(path))]
    assert b"".join(FileWrapper(path.open("rb"), 3)) == b"body {}"
