"""One client's connection: sends a call, cuts it off where `cut` says, and hands every answer to the ledger."""

from __future__ import annotations

import http.client
import json
import select
import socket
import struct
import threading
from typing import Any

from tests.chaos.ledger import Ledger, Meaning, Verdict, judge, now

TIMEOUT_SECONDS = 15.0
FIRST_WAIT = 0.05
LONGEST_WAIT = 0.5
# A call that has no final answer after that is a fault in itself: every fault ends long before.
PATIENCE_SECONDS = 120.0

BROKEN = Verdict(Meaning.UNKNOWN, "closed")
HUNG = Verdict(Meaning.UNKNOWN, "hung")


class NoAnswer(Exception):
    """No final answer in spite of all repetitions."""


class Client:
    """`hurry`: repeats at once instead of waiting for Retry-After, so as to see when the service is back.

    `cut` may be set by others to `half`, `sent` or `read`: the next call is then reset (TCP RST) after half of the request,
    after all of it, or in the middle of the answer.
    """

    def __init__(self, port: int, key: str, ledger: Ledger, *, hurry: bool = False) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        self._key = key
        self._ledger = ledger
        self._hurry = hurry
        self.cut = ""

    def until_final(
        self, method: str, path: str, body: Any = None, key: str = "", stop: threading.Event | None = None
    ) -> tuple[Verdict, int]:
        """The final verdict, and how many tries came before it that may have been done. Raises NoAnswer.

        `stop` ends only the waiting of reads, which leave nothing in doubt.
        """
        began, pause, doubtful = now(), FIRST_WAIT, 0
        while True:
            sent_at = now()
            verdict = self.once(method, path, body, key)
            if verdict.meaning in (Meaning.DONE, Meaning.REFUSED):
                if verdict.meaning is Meaning.DONE and method != "GET":
                    self._ledger.acknowledged_change(sent_at)
                return verdict, doubtful
            doubtful += verdict.label != "429"
            if now() - began > PATIENCE_SECONDS or (stop is not None and stop.is_set()):
                raise NoAnswer(f"{method} {path}: {verdict.label} after {now() - began:.0f} s")
            wait = pause if self._hurry else max(pause, verdict.wait)
            pause = min(2 * pause, LONGEST_WAIT)
            (stop or threading.Event()).wait(wait)

    def once(self, method: str, path: str, body: Any = None, key: str = "") -> Verdict:
        """Sends the call once."""
        data = b"" if body is None else json.dumps(body).encode()
        cut, self.cut = self.cut, ""
        sent_at, phase = now(), self._ledger.phase
        self._drop_if_closed()
        try:
            if cut:
                self._send_and_reset(method, path, data, key, cut)
                verdict = BROKEN
            else:
                self._connection.request(method, path, data or None, self._headers(data, key))
                answer = self._connection.getresponse()
                headers = {name.title(): value for name, value in answer.getheaders()}
                verdict = judge(answer.status, headers, answer.read())
        except TimeoutError:
            self._connection.close()
            verdict = HUNG
        except (OSError, http.client.HTTPException):
            self._connection.close()
            verdict = BROKEN
        self._ledger.took(now() - sent_at, phase)
        self._ledger.count("reset" if cut else verdict.label)
        if verdict.wrong:
            self._ledger.complain(f"{method} {path}: {verdict.wrong}")
        return verdict

    def close(self) -> None:
        self._connection.close()

    def _drop_if_closed(self) -> None:
        """As client libraries do: a kept connection that the server has closed meanwhile takes no call."""
        sock = self._connection.sock
        if sock is not None and select.select([sock], [], [], 0)[0]:
            self._connection.close()

    def _headers(self, data: bytes, key: str) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if data:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        return headers

    def _send_and_reset(self, method: str, path: str, data: bytes, key: str, cut: str) -> None:
        if self._connection.sock is None:
            self._connection.connect()
        headers = {"Host": "127.0.0.1", **self._headers(data, key), "Content-Length": str(len(data))}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        raw = "\r\n".join([*lines, "", ""]).encode() + data
        sock: socket.socket = self._connection.sock
        sock.sendall(raw[: len(raw) // 2] if cut == "half" else raw)
        if cut == "read":
            sock.recv(1)
        # With a linger of zero the kernel sends RST instead of an orderly end.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()
