"""What each process holds after ten minutes of dinner rush, and whether it grew on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from bench.load import BenchFailed, run_wrk

MINUTES = 10
GOAL_WEB_MEBIBYTES = 150
# From the first minute, when everything has been imported and every pool is full, to the last one.
GOAL_GROWTH = 1.1

type Parts = dict[str, Callable[[], Iterable[psutil.Process]]]


@dataclass(frozen=True)
class MemoryResult:
    """MiB of the largest process of each part at the end of each minute. Resident, shared pages included."""

    requests: int
    per_minute: dict[str, list[float]]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        yield f"memory of the largest process of each part, MiB, each minute of a rush of {self.requests:,} calls:"
        for part, sizes in self.per_minute.items():
            goal = f"   (goal ≤ {GOAL_WEB_MEBIBYTES}, not growing)" if part == "web" else ""
            yield f"  {part:12}" + "".join(f"{size:7.0f}" for size in sizes) + goal

    def wrong(self) -> Iterable[str]:
        web = self.per_minute["web"]
        if max(web) > GOAL_WEB_MEBIBYTES:
            yield f"memory: a web worker holds {max(web):.0f} MiB"
        if web[-1] > GOAL_GROWTH * web[0]:
            yield f"memory: a web worker grew from {web[0]:.0f} to {web[-1]:.0f} MiB"


def measure_memory(base_url: str, key: str, parts: Parts) -> MemoryResult:
    """Takes MINUTES minutes. Raises BenchFailed."""
    sizes: dict[str, list[float]] = {part: [] for part in parts}
    with ThreadPoolExecutor(1) as pool:
        rush = pool.submit(run_wrk, "rush", base_url=base_url, key=key, seconds=60 * MINUTES, prefix="memory")
        for _ in range(MINUTES):
            wait([rush], timeout=60)
            for part, processes in parts.items():
                sizes[part].append(round(max(_mebibytes(processes()), default=0.0), 1))
        load = rush.result()
    if load.bad_status:
        raise BenchFailed(f"{load.bad_status} answers of a rush were 400 or more: {load}")
    return MemoryResult(load.requests, sizes)


def _mebibytes(processes: Iterable[psutil.Process]) -> Iterator[float]:
    for process in processes:
        try:
            yield process.memory_info().rss / 2**20
        except psutil.NoSuchProcess:
            continue  # a database backend that ended meanwhile
