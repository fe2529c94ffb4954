"""What runs beside the faults: a wall, an integrator that follows the feed, a reader above its rate limit, the tasks."""

from __future__ import annotations

import contextlib
import http.client
import re
import secrets
import threading
from html import unescape
from typing import Any
from urllib.parse import quote, urlsplit

from tests.chaos.client import Client, NoAnswer
from tests.chaos.ledger import Ledger, Meaning, now

# A wall that hears nothing for so long covers itself and connects again.
STALE_SECONDS = 5.0
AGAIN_SECONDS = 0.1
# Longer than anything is waited for, shorter than a clock is set back.
AHEAD_SECONDS = 600.0


class Watcher:
    """A thread that looks again and again, until `finish`."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        self.stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self.stop.is_set():
            self.look()

    def look(self) -> None:
        raise NotImplementedError


class Wall(Watcher):
    """A paired screen: listens to hints, and fetches its board for each, as the page in the browser does.

    `place` is where it lives, `display` or `pickup`. `good_at` is when it asked for the latest board that came in answer to
    a hint.
    """

    def __init__(self, port: int, ledger: Ledger, place: str = "display") -> None:
        super().__init__(ledger)
        self._port, self._path = port, f"/{place}/board"
        self._cookie_name = {"display": "huuva_screen", "pickup": "huuva_pickup"}[place]
        self._cookie = ""
        self._stream = ""
        self.good_at = 0.0

    def pair(self, link: str) -> None:
        # As the form of the link's page is sent: the token twice, in a cookie and beside it.
        token = secrets.token_hex(16)
        self._cookie = f"csrftoken={token}"
        answer, _ = self._ask(self._port, link, "POST", {"X-CSRFToken": token})
        cookie = re.search(rf"{self._cookie_name}=([^;]+)", answer.headers.get("Set-Cookie", ""))
        if answer.status != 303 or cookie is None:
            raise NoAnswer(f"The link pairs no screen: {answer.status}")
        self._cookie = f"{self._cookie_name}={cookie[1]}"

    def board(self) -> str | None:
        """The board as it is now; None where nobody answers."""
        try:
            answer, raw = self._ask(self._port, self._path)
        except (OSError, http.client.HTTPException):
            self.ledger.count("closed")
            return None
        self.ledger.count("2xx" if answer.status == 200 else str(answer.status))
        if answer.status == 503 and answer.headers.get("Retry-After"):
            return None
        if answer.status != 200:
            self.ledger.complain(f"the board answers {answer.status}: {raw[:300]!r}")
            return None
        text = raw.decode()
        match = re.search(r'data-stream="([^"]+)"', text)
        if match is None:
            self.ledger.complain("a board without the address of its stream")
            return None
        self._stream = unescape(match[1])
        return text

    def look(self) -> None:
        if self.board() is not None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._listen()
        self.stop.wait(AGAIN_SECONDS)

    def _listen(self) -> None:
        parts = urlsplit(self._stream)
        connection = http.client.HTTPConnection("127.0.0.1", self._port + 1, timeout=STALE_SECONDS)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            if answer.status != 200:
                if answer.status != 503:
                    self.ledger.complain(f"the stream answers {answer.status}: {answer.read()[:300]!r}")
                return
            while not self.stop.is_set() and (line := answer.readline()):
                if line == b"event: hint\n":
                    sent_at = now()
                    if self.board() is None:
                        return
                    self.good_at = sent_at
        finally:
            connection.close()

    def _ask(
        self, port: int, path: str, method: str = "GET", more: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        try:
            headers = {"Cookie": self._cookie, "Accept": "text/html", **(more or {})}
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()


class Follower(Watcher):
    """An integrator that follows `GET /orders/events` and remembers every entry it has read."""

    def __init__(self, port: int, key: str, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._client = Client(port, key, ledger)
        self._cursor = ""
        self.seen: list[tuple[str, int]] = []

    def look(self) -> None:
        if not self.read_page():
            self.stop.wait(0.3)

    def read_page(self) -> bool:
        """Reads on; returns whether there is more to read."""
        path = "/api/orders/events?limit=200" + (f"&after={quote(self._cursor)}" if self._cursor else "")
        try:
            verdict, _ = self._client.until_final("GET", path, stop=self.stop)
        except NoAnswer:
            return False  # it goes on from the same cursor
        if verdict.meaning is not Meaning.DONE:
            self.ledger.complain(f"the feed answers {verdict.label}: {verdict.body}")
            return False
        page: dict[str, Any] = verdict.body
        self.seen += [(event["orderId"], event["sequence"]) for event in page["results"]]
        self._cursor = page["next"]
        return bool(page["hasMore"])

    def read_to_the_end(self, rows: int, seconds: float = 60) -> None:
        """For when nothing writes any more: until `rows` have been read. The feed may still wait for a transaction."""
        self.stop.clear()
        deadline = now() + seconds
        while self.read_page() or (len(self.seen) < rows and now() < deadline):
            pass
        self._client.close()


class Reader(Watcher):
    """A client that asks for lists and figures faster than its key may."""

    PATHS = (
        "/api/orders?limit=20&status=RECEIVED&status=PREPARING",
        "/api/analytics/hourly-throughput",
        "/api/orders?late=true",
        "/api/analytics/order-status-durations",
        "/readyz",
    )

    def __init__(self, port: int, key: str, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._client = Client(port, key, ledger)
        self._turn = 0

    def look(self) -> None:
        self._turn += 1
        path = self.PATHS[self._turn % len(self.PATHS)]
        with contextlib.suppress(NoAnswer):  # it was stopped while it waited
            verdict, _ = self._client.until_final("GET", path, stop=self.stop)
            if verdict.meaning is not Meaning.DONE:
                self.ledger.complain(f"{path} answers {verdict.label}: {verdict.body}")
        self.stop.wait(0.2)


class Tasks(Watcher):
    """Sends a small task again and again.

    While `only_beat` is set it sends none itself: what is done then was sent by beat.
    """

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.only_beat = False

    def look(self) -> None:
        from kombu.exceptions import OperationalError

        from huuva.tasks import beat_heartbeat

        if not self.only_beat:
            with contextlib.suppress(OperationalError, OSError):  # Valkey is away; the next one will do
                beat_heartbeat.apply_async(retry=False, expires=10)
        self.stop.wait(0.4)

    def done_since(self, moment: float) -> bool:
        """`moment` in seconds since 1970 by the stack's clock; what is far ahead of it is from before that was set back."""
        from django.db import Error, connection

        from huuva.models import Heartbeat

        try:
            last = Heartbeat.last()
        except Error:  # the database is away, or was when this connection was made
            connection.close()
            return False
        return last is not None and moment < last.timestamp() < moment + AHEAD_SECONDS
