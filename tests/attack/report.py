"""A run's figures: a table for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.attack.good import Measured, percentile
from tests.figures import aligned, circumstances

HEAD = (
    "attack", "orders", "p50 ms", "p99 ms", "failed", "/livez s", "live s", "/readyz s", "/metrics s",
    "silent s", "hint s", "own ms", "what attackers got",
)  # fmt: skip
CALM = "none"


@dataclass(slots=True)
class Row:
    """One attack, or several at once: what the good ones measured, tallies of the attackers, and what was wrong."""

    name: str
    measured: Measured
    seconds: float = 0.0
    tallies: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        one = self.measured
        return (
            self.name,
            str(len(one.times)),
            f"{percentile(one.times, 0.5) * 1000:.0f}",
            f"{percentile(one.times, 0.99) * 1000:.0f}",
            str(one.failed.total()),
            *(f"{one.worst(probe):.2f}" for probe in ("livez", "livez of live", "readyz", "metrics")),
            f"{one.silence:.1f}",
            f"{max(one.hints, default=0.0):.2f}",
            f"{one.own_delay * 1000:.0f}",
            "; ".join(map(_short, self.tallies.values())),
        )

    def as_json(self) -> dict[str, Any]:
        one = self.measured
        return {
            "attack": self.name,
            "seconds": round(self.seconds, 1),
            "orders": {
                "posted": len(one.times),
                "accepted": len(one.accepted),
                "lost": one.lost,
                "failed": dict(one.failed),
                "p50_ms": round(percentile(one.times, 0.5) * 1000, 1),
                "p99_ms": round(percentile(one.times, 0.99) * 1000, 1),
                "worst_ms": round(max(one.times, default=0.0) * 1000, 1),
            },
            "probes": {
                name: {
                    "asked": len(times),
                    "worst_s": round(max(times, default=0.0), 3),
                    "unanswered": one.unanswered[name],
                    "statuses": dict(one.statuses.get(name, {})),
                }
                for name, times in one.probes.items()
            },
            "walls": {
                "silence_s": round(one.silence, 2),
                "hint_worst_s": round(max(one.hints, default=0.0), 3),
                "hint_p99_s": round(percentile(one.hints, 0.99), 3),
                "streams_opened": one.streams,
            },
            "own_delay_ms": round(one.own_delay * 1000, 1),
            "attackers": self.tallies,
            "notes": self.notes,
            "wrong": self.wrong,
        }


def _short(tally: dict[str, Any]) -> str:
    answers = ", ".join(f"{count} × {label}" for label, count in sorted(tally["answers"].items()))
    ends = f"{tally['ended']} ended in {tally['middle']}–{tally['longest']} s" if tally["ended"] else ""
    held = sum(tally["held"].values())
    return ", ".join(filter(None, (answers, ends, f"{held} held" if held else "")))


def table(rows: Sequence[Row]) -> list[str]:
    lines = aligned([HEAD, *(row.cells() for row in rows)])
    for row in rows:
        lines += [f"  {row.name}: {complaint}" for complaint in row.wrong]
    return lines


def figures(
    options: dict[str, Any], rows: Sequence[Row], left: Sequence[str], seconds: float
) -> dict[str, Any]:
    return {
        **circumstances(),
        "options": options,
        "seconds": round(seconds, 1),
        "attacks": [row.as_json() for row in rows],
        "not_run": list(left),
    }
