"""Where the processes of one web part count together: files under HUUVA_HOME/run/metrics, in a folder named by their
parent. A new start begins at zero, as Prometheus expects of counters.

Apart from `huuva.request_metrics`, because prometheus_client looks at its variable once, when it is imported.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import psutil

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


def shared_folder(home: Path) -> Path:
    """The folder of this process's siblings, made; those of web parts that have ended are removed."""
    folder = home / "run" / "metrics"
    parent = psutil.Process(os.getppid())
    ours = folder / f"{parent.pid}-{parent.create_time():.0f}"
    ours.mkdir(parents=True, exist_ok=True)
    for other in folder.iterdir():
        if other != ours and not _is_alive(other.name):
            shutil.rmtree(other, ignore_errors=True)
    return ours


def _is_alive(name: str) -> bool:
    pid, _, began = name.partition("-")
    try:
        return f"{psutil.Process(int(pid)).create_time():.0f}" == began
    except (psutil.Error, ValueError):
        return False
