"""The folder where web's processes share their metrics: HUUVA_HOME/run/metrics/, by the id of their parent process.
Each start begins at zero, as Prometheus expects of counters.

Apart from `core.request_metrics`, because prometheus_client reads its variable once, when it is imported.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import psutil

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
# The start time of a process is computed from the time of day, so it changes a little when the clock is set. No process
# id is used again within this time.
SAME_SECONDS: Final = 5.0


def shared_folder(home: Path) -> Path:
    """The folder of this process and its siblings, made if missing; folders of ended web processes are removed."""
    folder = home / "run" / "metrics"
    parent = psutil.Process(os.getppid())
    folder.mkdir(parents=True, exist_ok=True)
    own = None
    for other in folder.iterdir():
        if not _is_alive(other.name):
            shutil.rmtree(other, ignore_errors=True)
        elif other.name.partition("-")[0] == str(parent.pid):
            own = other
    own = own or folder / f"{parent.pid}-{parent.create_time():.0f}"
    own.mkdir(exist_ok=True)
    return own


def _is_alive(name: str) -> bool:
    pid, _, began = name.partition("-")
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(began)) < SAME_SECONDS
    except (psutil.Error, ValueError):
        return False
