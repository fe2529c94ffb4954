"""The results of a run: a table for people, and JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tests.chaos.faults import FAULTS, Recovery
from tests.chaos.ledger import Ledger
from tests.chaos.stack import Stack
from tests.chaos.stored import Check
from tests.figures import aligned, circumstances

SIGNS = ("orders", "screens", "tasks", "webhooks")
ANSWERS = ("2xx", "409", "429", "503", "closed", "hung")
HEAD = ("fault", *SIGNS, "longest", "livez", *ANSWERS)


def table(recoveries: Sequence[Recovery]) -> list[str]:
    """Seconds until each works again, of the slowest call and /livez meanwhile, and what clients were answered."""
    rows: list[Sequence[str]] = [HEAD]
    for one in recoveries:
        signs = [getattr(one, name) for name in SIGNS]
        times = ["never" if time is None else f"{time:.2f}" for time in (*signs, one.longest, one.alive)]
        counts = {label: one.answers[label] for label in ANSWERS}
        counts["closed"] += one.answers["reset"]
        rows.append((one.fault, *times, *map(str, counts.values())))
    return aligned(rows)


def notes(recoveries: Sequence[Recovery]) -> list[str]:
    """Notes of single faults."""
    return [f"{one.fault}: {note}" for one in recoveries for note in one.notes]


def check_lines(checks: Sequence[Check]) -> list[str]:
    lines = []
    for check in checks:
        lines.append(f"{'WRONG' if check.wrong else 'ok':5}  {check.counted:7,}  {check.title}")
        lines += [f"       {complaint}" for complaint in check.wrong]
    return lines


def figures(
    options: dict[str, Any],
    disk: str,
    recoveries: Sequence[Recovery],
    checks: Sequence[Check],
    ledger: Ledger,
    stack: Stack,
) -> dict[str, Any]:
    return {
        **circumstances(),
        "options": options,
        "disk": disk,
        "orders": len(ledger.entries),
        "faults": [{**asdict(one), "what": FAULTS[one.fault].what} for one in recoveries],
        "restarts": stack.restarts,
        "answers": {f"{phase}: {label}": number for (phase, label), number in sorted(ledger.counts.items())},
        "checks": [asdict(check) for check in checks],
        "complained": ledger.complained,
        "complaints": ledger.complaints,
    }
