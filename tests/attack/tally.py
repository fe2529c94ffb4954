"""What the attackers of one attack got: how often each answer, and when the server ended their connections."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Site:
    """What attackers know of the stack: where it is, and what strangers, key holders and a screen have of it.

    `seconds` is when they give up; `sources` are the addresses that they come from.
    """

    port: int
    seconds: float
    sources: list[str]
    key: str
    crowded_key: str
    csrf: str
    screen: str
    session: str
    static: list[str]
    # The short form has fewer connections.
    short: bool = False
    began: float = field(default_factory=time.monotonic)

    def source(self, number: int) -> str:
        return self.sources[number % len(self.sources)]

    @property
    def left(self) -> float:
        """Seconds until the attackers give up, at least a moment."""
        return max(self.began + self.seconds - time.monotonic(), 0.05)


@dataclass(slots=True)
class Tally:
    """`opened` counts connections. `answers` counts each by its status, and what was no answer: `closed` by the server
    without one, `refused` where no connection could be made.

    `ended` counts connections that the server ended, `held` those that the attackers still had when they gave up, by
    target. `longest` and `middle` are seconds until the server ended one.
    """

    opened: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    ended: int = 0
    held: Counter[str] = field(default_factory=Counter)
    ends: list[float] = field(default_factory=list)
    by_target: dict[str, Counter[str]] = field(default_factory=dict)

    def got(self, label: int | str, target: str = "") -> None:
        self.answers[str(label)] += 1
        if target:
            self.by_target.setdefault(target, Counter())[str(label)] += 1

    def ended_after(self, seconds: float) -> None:
        self.ended += 1
        self.ends.append(seconds)

    def as_json(self) -> dict[str, Any]:
        ends = sorted(self.ends)
        return {
            "opened": self.opened,
            "answers": dict(self.answers),
            "ended": self.ended,
            "held": dict(self.held),
            "longest": round(ends[-1], 2) if ends else None,
            "middle": round(ends[len(ends) // 2], 2) if ends else None,
            "by_target": {target: dict(answers) for target, answers in self.by_target.items()},
        }
