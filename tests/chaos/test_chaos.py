"""The short form of `make chaos`: each fault that is over in seconds once, then the data is consistent.

What stops, stalls or reloads for longer, and the clock, are left to `make chaos`: minutes that show nothing which
their own tests don't show.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.chaos.__main__ import NAMES

ROOT = Path(__file__).resolve().parents[2]
# Far beyond what it takes: half a minute where nothing else runs.
LONGEST_SECONDS = 420
LONG = {"frozen-postgres", "frozen-valkey", "stalled-feed", "reload", "clock"}
SHORT = [name for name in NAMES if name not in LONG]


def test_data_is_consistent_whatever_was_killed() -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.chaos",
            "--once",
            "--brief",
            "--clients",
            "5",
            "--not-durable",
            "--json",
            *(word for name in SHORT for word in ("--only", name)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, log = process.communicate(timeout=LONGEST_SECONDS)
    finally:
        if process.poll() is None:
            process.terminate()  # it stops its servers
            process.communicate(timeout=60)
    assert output, log
    figures = json.loads(output)
    print(figures["disk"])  # where it is no real file system, this says why

    assert figures["complaints"] == []
    assert {check["title"]: check["wrong"] for check in figures["checks"] if check["wrong"]} == {}
    assert process.returncode == 0, log
    # And it was not for want of anything to go wrong.
    assert [fault["fault"] for fault in figures["faults"]] == SHORT
    assert all(check["counted"] for check in figures["checks"])
    assert {"web", "live", "worker", "beat"} <= figures["restarts"].keys()
    hit = {fault["fault"]: fault["answers"] for fault in figures["faults"]}
    assert all(hit[name]["503"] for name in ("postgres", "disk"))
    assert hit["web"]["closed"] and hit["resets"]["reset"]
