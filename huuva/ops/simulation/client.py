"""Calls the order API as a careful channel does: a persistent connection, idempotency keys, patient retries."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

PATIENCE_SECONDS: Final = 120.0
TIMEOUT_SECONDS: Final = 15.0
FIRST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 5.0
# Also the answers of a proxy while its server restarts.
COMES_BACK: Final = frozenset({429, 502, 503, 504})


class GaveUp(Exception):
    """No answer in spite of all retries; the message has the last error."""


class Stopped(Exception):
    """The run was stopped before an answer: it is unknown whether the call took effect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` is the problem's, empty for a success."""

    status: int
    code: str
    detail: str


class Client:
    """One thread's connection to an installation. `retries` counts the calls that were sent again."""

    def __init__(
        self, url: str, key: str, stop: threading.Event | None = None, patience: float = PATIENCE_SECONDS
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"The address must be like http://127.0.0.1:8000, not {url!r}.")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        self._path = parts.path.rstrip("/")
        self._key = key
        self._stop = stop or threading.Event()
        self._patience = patience
        self._used = False
        self.retries = 0

    def call(self, method: str, path: str, body: Any = None, idempotency_key: str = "") -> Answer:
        """The final answer. Raises GaveUp and Stopped."""
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        start, pause = time.monotonic(), FIRST_WAIT_SECONDS
        while True:
            try:
                answer, wait = self._once(method, self._path + path, data, headers)
                self._used = True
                if wait is None:
                    return answer
                trouble = f"{answer.status} {answer.detail}".strip()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if self._used:
                    # Servers close connections that were idle for long: a new one is all it needs.
                    self._used = False
                    continue
                trouble, wait = str(error) or type(error).__name__, 0.0
            wait = max(wait, pause)
            pause = min(2 * pause, LONGEST_WAIT_SECONDS)
            if time.monotonic() + wait - start > self._patience:
                raise GaveUp(f"{method} {path} had no answer in {self._patience:.0f} s ({trouble})")
            if self._stop.wait(wait):
                raise Stopped(trouble)
            self.retries += 1

    def close(self) -> None:
        self._connection.close()

    def _once(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[Answer, float | None]:
        """The answer, and the seconds to wait before the call is sent again; None where the answer is final."""
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        raw = response.read()  # always: unread data would break the connection
        problem = _problem(raw) if response.status >= 400 else {}
        answer = Answer(response.status, str(problem.get("code", "")), str(problem.get("detail", "")))
        if answer.status in COMES_BACK or answer.code == "idempotency_in_progress":
            retry_after = response.headers.get("Retry-After", "")
            return answer, float(retry_after) if retry_after.isdecimal() else 0.0
        return answer, None


def _problem(raw: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(raw)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
