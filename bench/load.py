"""One wrk run: the load comes from a process of its own, in C, so that it costs the server little."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The goals are for this many.
CONNECTIONS = 8


class BenchFailed(RuntimeError):
    """The benchmarks can't go on. The message says why."""


@dataclass(frozen=True)
class Load:
    """What one wrk run measured. Latencies in milliseconds."""

    requests: int
    microseconds: int
    sent: int  # number of the last request of the series, warm-up included
    p50_ms: float
    p95_ms: float
    p99_ms: float
    bad_status: int
    socket_errors: int

    @property
    def per_second(self) -> float:
        return self.requests / (self.microseconds / 1_000_000)


def wrk_is_there() -> bool:
    return shutil.which("wrk") is not None


def run_wrk(
    script: str,
    *,
    base_url: str,
    key: str,
    seconds: int,
    prefix: str,
    orders: int = 0,
    start: int = 0,
    clients: int = CONNECTIONS,
) -> Load:
    """Drive `bench/<script>.lua` for `seconds`, from request number `start` + 1 of its series on."""
    environment = {
        **os.environ,
        "HUUVA_BENCH_KEY": key,
        "HUUVA_BENCH_PREFIX": prefix,
        "HUUVA_BENCH_ORDERS": str(orders),
        "HUUVA_BENCH_FROM": str(start),
    }
    # One thread: a script's state lives in its thread, and a second one would walk the same orders again.
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", f"bench/{script}.lua", base_url]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    last_line = done.stdout.strip().rpartition("\n")[2]
    if done.returncode or not last_line.startswith("{"):
        raise BenchFailed(f"wrk with {script}.lua failed:\n{done.stdout}{done.stderr}")
    return Load(**json.loads(last_line))
