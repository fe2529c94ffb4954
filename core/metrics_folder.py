"""Where the processes of one web part count together: files under HUUVA_HOME/run/metrics, in a folder named by their
parent. A new start begins at zero, as Prometheus expects of counters.

Apart from `core.request_metrics`, because prometheus_client looks at its variable once, when it is imported.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import psutil

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
# When a process began is reckoned from the time of day, which is set meanwhile: for one process it is told differently
# later. No number of a process comes around within that time.
SAME_SECONDS: Final = 5.0


def shared_folder(home: Path) -> Path:
    """The folder of this process's siblings, made; those of web parts that have ended are removed."""
    folder = home / "run" / "metrics"
    parent = psutil.Process(os.getppid())
    folder.mkdir(parents=True, exist_ok=True)
    ours = None
    for other in folder.iterdir():
        if not _is_alive(other.name):
            shutil.rmtree(other, ignore_errors=True)
        elif other.name.partition("-")[0] == str(parent.pid):
            ours = other
    ours = ours or folder / f"{parent.pid}-{parent.create_time():.0f}"
    ours.mkdir(exist_ok=True)
    return ours


def _is_alive(name: str) -> bool:
    pid, _, began = name.partition("-")
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(began)) < SAME_SECONDS
    except (psutil.Error, ValueError):
        return False
