"""Counts what a simulation did, over its threads."""

from __future__ import annotations

import threading
from collections import Counter


class Tally:
    """`order_ids` are those that the server has confirmed; `refusals` counts 4xx answers by code."""

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
