"""deploy/Caddyfile: valid for the Caddy that is here, and run by it in front of a web and a live that answer with what they got."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from core.http.limits import API_BODY_BYTES
from tests.background import answers, wait_until
from tests.ports import free_port

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
START_SECONDS = 60
needs_caddy = pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed here")


class Told(BaseHTTPRequestHandler):
    """Answers with its own name, the path and how long the body was."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = self._read()
        if length is None:
            self.close_connection = True  # half a body gets no answer
            return
        text = f"{self.server.name} {self.path} {length}".encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def _read(self) -> int | None:
        """How long the body is; None where its sender broke it off."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            length = int(self.headers.get("Content-Length", "0"))
            return length if len(self.rfile.read(length)) == length else None
        total = 0
        while line := self.rfile.readline():
            size = int(line, 16)
            if len(self.rfile.read(size + 2)) < size + 2:
                return None
            if size == 0:
                return total
            total += size
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is no access log."""


class Part(ThreadingHTTPServer):
    """One part behind Caddy."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", free_port()), Told)
        self.name = name
        Thread(target=self.serve_forever, daemon=True).start()


def script(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(DEPLOY / "caddy.sh"), *words],
        env={**os.environ, "HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where Caddy listens, in front of both parts."""
    if shutil.which("caddy") is None:
        pytest.skip("caddy is not installed here")
    home = tmp_path_factory.mktemp("caddy")
    port = free_port()
    web, live = Part("web"), Part("live")
    # Its control address is another one than that of a Caddy that serves this machine.
    text = (DEPLOY / "Caddyfile").read_text().replace("{\n\tservers", "{\n\tadmin off\n\tservers", 1)
    assert "admin off" in text
    (home / "Caddyfile").write_text(text)
    environment = {
        "HOME": str(home),
        "CADDYFILE": str(home / "Caddyfile"),
        "HUUVA_DOMAIN": f"http://127.0.0.1:{port}",
        "WEB_HOST": "127.0.0.1",
        "WEB_PORT": str(web.server_port),
        "LIVE_HOST": "127.0.0.1",
        "LIVE_PORT": str(live.server_port),
    }
    with (home / "log").open("wb") as log:
        caddy = subprocess.Popen(
            ["sh", str(DEPLOY / "caddy.sh"), "run"], env={**os.environ, **environment}, stderr=log
        )
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/api/health"), START_SECONDS, home / "log", caddy)
        yield port
    finally:
        caddy.terminate()
        caddy.wait(30)
        for part in (web, live):
            part.shutdown()
            part.server_close()


def ask(
    port: int, method: str, path: str, body: bytes | None = None, *, chunked: bool = False
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        if chunked and body is not None:
            chunks = (body[at : at + 65536] for at in range(0, len(body), 65536))
            connection.request(method, path, chunks, encode_chunked=True)
        else:
            connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@needs_caddy
def test_caddyfile_is_valid_with_and_without_its_script(tmp_path: Path) -> None:
    checked = script(tmp_path, "validate")
    assert checked.returncode == 0, checked.stderr
    plain = subprocess.run(
        ["caddy", "validate", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert plain.returncode == 0, plain.stderr
    assert "DEPRECATED" not in (checked.stderr + plain.stderr).upper()


def fake_caddy(folder: Path, version: str) -> str:
    """A search path whose Caddy is of that version, and prints how it was called."""
    program = folder / "caddy"
    program.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo "{version}" || echo "$1 [$BODY_BUFFER]"\n')
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("version", "buffer"),
    [
        ("2.6.2", ""),
        ("v2.6.4 h1:2hwYqiRwk1tf3VruhMpLcYTg+11fCdr8S3jhNAdnPy8=", ""),
        ("v2.7.0", "request_buffers 1100KiB"),
        ("v2.11.4 h1:XKxAYZNhSUPPQuoBZbtFLiXBDqXbT3qPVlVXbIgM2nk=", "request_buffers 1100KiB"),
    ],
)
def test_bodies_are_collected_where_caddy_does_it_right(tmp_path: Path, version: str, buffer: str) -> None:
    called = script(tmp_path, "run", PATH=fake_caddy(tmp_path, version))
    assert (called.returncode, called.stdout) == (0, f"run [{buffer}]\n")


@pytest.mark.parametrize("version", ["2.6.1", "v2.5.2 h1:x=", "v1.0.5", "(devel)"])
def test_older_caddy_is_refused_by_version(tmp_path: Path, version: str) -> None:
    called = script(tmp_path, "run", PATH=fake_caddy(tmp_path, version))
    assert (called.returncode, called.stdout) == (1, "")
    assert "needs Caddy 2.6.2 or later" in called.stderr


def test_each_address_goes_to_its_part(port: int) -> None:
    assert ask(port, "GET", "/admin/") == (200, "web /admin/ 0")
    assert ask(port, "GET", "/live/streams?token=x") == (200, "live /live/streams?token=x 0")
    for path in ("/metrics", "/readyz/", "/livez"):
        assert ask(port, "GET", path)[0] == 404


# Somewhat below and above the limit of each kind of address.
LIMITS = [
    ("/admin/login/", 16 * 1024),
    ("/admin/orders/order/", 1024 * 1024),
    ("/api/orders", API_BODY_BYTES),
    ("/display/board", 64 * 1024),
]


@pytest.mark.parametrize(("path", "limit"), LIMITS)
def test_body_up_to_the_limit_gets_through(port: int, path: str, limit: int) -> None:
    assert ask(port, "POST", path, b"x" * limit) == (200, f"web {path} {limit}")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("path", "limit"), LIMITS)
def test_larger_body_is_refused_and_web_stays(port: int, path: str, limit: int, chunked: bool) -> None:
    try:
        status, text = ask(port, "POST", path, b"x" * (limit + 1), chunked=chunked)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before all was sent
    else:
        # Caddy 2.6 calls what it cut off itself a bad gateway.
        assert status in ((413, 502) if chunked else (413,)), (status, text)
        if path.startswith("/api/") and status == 413:
            assert json.loads(text)["code"] == "body_too_large"
    began = time.monotonic()
    assert ask(port, "GET", "/api/health") == (200, "web /api/health 0")
    assert time.monotonic() - began < 2


def test_bodies_that_break_off_do_not_take_web_away(port: int) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as sender:
            sender.sendall(b"POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\n{")
    began = time.monotonic()
    assert ask(port, "GET", "/api/health") == (200, "web /api/health 0")
    assert time.monotonic() - began < 2
