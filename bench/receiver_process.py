"""The receiver in a process of its own, which gives way to others: it stands for another machine.

In the process that measures, it would hold up the very calls that are timed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from typing import Any, Self

from bench.load import ROOT
from tests.receiver import Receiver

NICENESS = 15


class ReceiverProcess:
    """Answers by the last word of the path: `hang` never, `fail` with a 500, all else well."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.receiver_process"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._port = self._ask("port")
        return self

    def __exit__(self, *_: object) -> None:
        # It ends with its input.
        self._process.communicate(timeout=10)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}{path}"

    def count(self) -> int:
        """How many requests have come."""
        return int(self._ask("count"))

    def delays(self) -> list[float]:
        """Seconds from the timestamp of each body until it was here."""
        return [float(delay) for delay in self._ask("delays")]

    def _ask(self, question: str) -> Any:
        assert self._process.stdin and self._process.stdout  # noqa: S101  (both are pipes)
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _answer(path: str, number: int, body: bytes) -> str:
    word = path.rpartition("/")[2]
    return word if word in ("hang", "fail") else "ok"


def _delays(receiver: Receiver) -> list[float]:
    offset = time.time() - time.monotonic()
    return [
        one.at + offset - datetime.fromisoformat(json.loads(one.body)["timestamp"]).timestamp()
        for one in receiver.requests
    ]


def main() -> None:
    os.nice(NICENESS)
    with Receiver(_answer) as receiver:
        for line in sys.stdin:
            answers = {
                "port": lambda: receiver.port,
                "count": lambda: len(receiver.requests),
                "delays": lambda: _delays(receiver),
            }
            print(json.dumps(answers[line.strip()]()), flush=True)


if __name__ == "__main__":
    main()
