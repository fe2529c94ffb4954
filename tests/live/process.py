"""A live process that really runs, with a Valkey of its own that a test may stop, and screens that listen to it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import redis

from core.addresses import redis_url
from core.home import secret_file
from core.stream_channels import channel, message
from core.stream_tokens import STREAMS_PATH, make_token
from core.valkey_client import ValkeyClient
from huuva.ops.embedded.valkey import ensure_valkey, stop_valkey
from huuva.ops.processes import commands
from kitchen_display.hints import Publisher
from tests.background import in_background, metric, wait_until
from tests.ports import free_port

START_SECONDS = 180


class LiveProcess:
    """Live on `port`, as `make run` starts it; web would be on the port before."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.redis_url = redis_url(home)
        self.web_port = free_port(following=1)
        self.port = self.web_port + 1
        self.log = home / "log" / "live.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def secret_key(self) -> str:
        return secret_file(self.home, "secret-key")

    def start(self) -> None:
        (self.home / "log").mkdir(exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {
            "HUUVA_HOME": str(self.home),
            "HUUVA_PORT": str(self.web_port),
            "HUUVA_TRUSTED_ORIGINS": "https://wall.example.com,https://*.kitchens.example",
            "REDIS_URL": self.redis_url,
        }
        self.start_valkey()
        command = commands(self.home, "127.0.0.1", self.web_port, 1)["live"]
        self._process = in_background(command, environment, self.log)
        wait_until(self._hears_valkey, START_SECONDS, self.log, self._process)

    def stop(self) -> float:
        """Ends it and returns the seconds that took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        self._process.wait(15)
        return time.monotonic() - began

    def start_valkey(self) -> None:
        ensure_valkey(self.home)

    def stop_valkey(self) -> None:
        stop_valkey(self.home)

    def publish(self, kitchen: str, kind: str = "orders") -> None:
        with redis.Redis.from_url(self.redis_url) as client:
            client.publish(channel(kitchen), message(kind, time.time_ns() // 1_000_000))

    def end_pairing(self, kitchen: str, pairing: str) -> None:
        publisher = Publisher(ValkeyClient(self.redis_url))
        publisher.end_pairing(kitchen, pairing)
        assert publisher.flush(10)

    def token(
        self, kitchen: str = "main", screen: str = "1", lifetime_seconds: int = 60, pairing: str = ""
    ) -> str:
        return make_token(
            self.secret_key, kitchen, screen, pairing=pairing, lifetime_seconds=lifetime_seconds
        )

    def request(
        self,
        token: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        path: str = STREAMS_PATH,
    ) -> tuple[HTTPConnection, HTTPResponse]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, f"{path}?token={token}", headers=headers or {})
        return connection, connection.getresponse()

    @contextmanager
    def listen(self, kitchen: str = "main", screen: str = "1", **words: Any) -> Iterator[Listener]:
        connection, response = self.request(self.token(kitchen, screen, **words))
        assert response.status == 200, response.read()
        try:
            yield Listener(response)
        finally:
            # The response holds the socket open, too.
            response.close()
            connection.close()

    def metric(self, name: str) -> float:
        return metric(f"http://127.0.0.1:{self.port}", name)

    def _hears_valkey(self) -> bool:
        try:
            return self.metric("huuva_live_valkey_up") == 1
        except OSError:
            return False


class Listener:
    """One open stream."""

    def __init__(self, response: HTTPResponse) -> None:
        self.response = response

    def event(self) -> tuple[str, dict[str, Any]] | None:
        """The next event; None when the stream has ended. Fails after 10 s without any."""
        fields: dict[str, str] = {}
        while line := self.response.readline().decode():
            if line == "\n":
                return fields["event"], json.loads(fields["data"])
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        return None

    def until(self, wanted: str, seconds: float = 10, **data: Any) -> dict[str, Any]:
        """The next event of that name whose data hold those values."""
        deadline = time.monotonic() + seconds
        seen = []
        while time.monotonic() < deadline:
            event = self.event()
            if event is None:
                break
            seen.append(event)
            if event[0] == wanted and data.items() <= event[1].items():
                return event[1]
        raise AssertionError(f"No {wanted} with {data} in {seconds} s, but {seen}")
