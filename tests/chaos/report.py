"""What a run found: a table for people, and JSON for programs."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.chaos.faults import FAULTS, Recovery
from tests.chaos.ledger import Ledger
from tests.chaos.stack import ROOT, Stack
from tests.chaos.stored import Check

FOLDER = ROOT / "bench-results"
HEAD = ("fault", "orders", "screens", "tasks", "2xx", "409", "429", "503", "closed")


def table(recoveries: Sequence[Recovery]) -> list[str]:
    """Seconds until each works again, and what clients were answered meanwhile."""
    rows = [HEAD]
    for one in recoveries:
        times = ["never" if time is None else f"{time:.2f}" for time in (one.orders, one.screens, one.tasks)]
        counts = [one.answers[label] for label in HEAD[4:]]
        counts[-1] += one.answers["reset"]
        rows.append((one.fault, *times, *map(str, counts)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = []
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells))
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    return lines


def books(checks: Sequence[Check]) -> list[str]:
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
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpus": psutil.cpu_count(),
            "python": platform.python_version(),
            "load": psutil.getloadavg(),
        },
        "options": options,
        "disk": disk,
        "orders": len(ledger.entries),
        "faults": [{**asdict(one), "what": FAULTS[one.fault].what} for one in recoveries],
        "restarts": stack.restarts,
        "answers": {f"{phase}: {label}": number for (phase, label), number in sorted(ledger.counts.items())},
        "books": [asdict(check) for check in checks],
        "complained": ledger.complained,
        "complaints": ledger.complaints,
    }


def write(found: dict[str, Any]) -> Path:
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"chaos-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(found, indent=2, default=str) + "\n", encoding="utf-8")
    return path


def keep_logs(log: Path) -> Path:
    """Copies the logs of a run that went wrong to where they can be read; those of the one before go."""
    kept = FOLDER / "chaos-log"
    shutil.rmtree(kept, ignore_errors=True)
    return Path(shutil.copytree(log, kept))
