"""The progress of a simulation, and its counts."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from typing import Final, TextIO

WIDTH: Final = 24


class Progress:
    """A bar on a terminal, elsewhere a line for each tenth. `end` in simulated seconds, or in another unit."""

    def __init__(self, end: float, out: TextIO, unit: str = "minute", size: float = 60) -> None:
        self._end = max(end, 1.0)
        self._unit, self._size = unit, size
        self._out = out
        self._bar = out.isatty()
        self._tenth = 0

    def show(self, second: float, text: str) -> None:
        share = min(second / self._end, 1.0)
        line = f"{self._unit} {second / self._size:,.0f} of {self._end / self._size:,.0f}: {text}"
        if self._bar:
            full = round(share * WIDTH)
            line = f"[{'█' * full}{'░' * (WIDTH - full)}] {line}"
            # A line as wide as the terminal would wrap, and \r could not return to its start.
            self._out.write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")
        elif int(share * 10) > self._tenth:
            self._tenth = int(share * 10)
            self._out.write(f"{line}\n")
        self._out.flush()

    def close(self) -> None:
        if self._bar:
            self._out.write("\r\x1b[K")
            self._out.flush()


class Tally:
    """Counts what the threads of a simulation did. `order_ids` are those that the server has confirmed; `refusals` are
    4xx answers by code."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.order_ids: set[str] = set()
        self.moves = 0
        self.refusals: Counter[str] = Counter()
        self.errors: list[str] = []
        self.unanswered = 0
        self.retries = 0
        self.behind = 0.0

    def ordered(self, order_id: str) -> None:
        with self._lock:
            self.order_ids.add(order_id)

    def moved(self) -> None:
        with self._lock:
            self.moves += 1

    def refused(self, code: str) -> None:
        with self._lock:
            self.refusals[code] += 1

    def failed(self, sentence: str) -> None:
        with self._lock:
            self.errors.append(sentence)

    def stopped(self) -> None:
        """A call had no answer when the run was stopped."""
        with self._lock:
            self.unanswered += 1

    def retried(self, times: int) -> None:
        with self._lock:
            self.retries += times

    def late(self, seconds: float) -> None:
        with self._lock:
            self.behind = max(self.behind, seconds)

    def short(self) -> str:
        """One line for a progress bar."""
        behind = f", up to {self.behind:.0f} s behind" if self.behind > 2 else ""
        return (
            f"{len(self.order_ids)} orders, {self.moves} moves, {self.refusals.total()} refusals, "
            f"{len(self.errors)} errors{behind}"
        )

    def summary(self) -> str:
        """One line for the end."""
        texts = [self.short()]
        if self.refusals:
            codes = ", ".join(f"{code} {count}" for code, count in self.refusals.most_common())
            texts[0] = texts[0].replace(" refusals", f" refusals ({codes})")
        if self.retries:
            texts.append(f"{self.retries} retries")
        if self.unanswered:
            texts.append(f"{self.unanswered} unanswered when it was stopped")
        return ", ".join(texts)
