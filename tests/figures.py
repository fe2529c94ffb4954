"""Tables of figures for people, files of them for programs: for benchmarks, chaos and attacks."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

from core.env import PROJECT_ROOT

FOLDER: Final = PROJECT_ROOT / "bench-results"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table for people; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = ["-" * width for width in widths]
    return [
        "  ".join(
            [
                first.ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)),
            ]
        )
        for first, *rest in (rows[0], rule, *rows[1:])
    ]


def circumstances() -> dict[str, Any]:
    """When and on what it was measured."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpus": psutil.cpu_count(),
            "python": platform.python_version(),
            "load": psutil.getloadavg(),
        },
    }


def write_json(figures: dict[str, Any], prefix: str = "") -> Path:
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{prefix}{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(figures, indent=2, default=str) + "\n", encoding="utf-8")
    return path
