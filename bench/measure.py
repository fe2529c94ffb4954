"""Run one workload: prepare its orders, warm up, then measure load and CPU time together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from bench.load import UNANSWERED, Load, LoadFailed, run_wrk
from bench.workloads import Workload

STEP_SECONDS = 2  # how long wrk runs at a time while orders are prepared and everything gets warm


@dataclass(frozen=True)
class Result:
    """One row of the table. CPU in milliseconds per request; None where the server isn't ours to watch."""

    workload: str
    limited: bool
    load: Load
    web_cpu_ms: float
    postgres_cpu_ms: float | None
    ran_out: bool  # all prepared moves were used up, so that part of the run moved nothing

    @property
    def failures(self) -> int:
        return self.load.bad_status + self.load.socket_errors

    def as_json(self) -> dict[str, Any]:
        figures = asdict(self)
        figures["load"]["per_second"] = round(self.load.per_second, 1)
        return figures


class CpuClock:
    """CPU seconds (user + system) that a set of processes uses, children that come later included."""

    def __init__(self, processes: Callable[[], Iterable[psutil.Process]]) -> None:
        self.processes = processes
        self.before = self._read()

    def _read(self) -> dict[int, float]:
        seconds = {}
        for process in self.processes():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue  # a database backend that ended between the listing and the reading
            seconds[process.pid] = times.user + times.system
        return seconds

    def used(self) -> float:
        return sum(now - self.before.get(pid, 0.0) for pid, now in self._read().items())


def measure(
    workload: Workload,
    *,
    base_url: str,
    key: str,
    limited: bool,
    seconds: int,
    web: Callable[[], Iterable[psutil.Process]],
    postgres: Callable[[], Iterable[psutil.Process]] | None,
    run_id: str,
) -> Result:
    prefix = f"{run_id}-{workload.name}-{'limited' if limited else 'free'}"

    def run(script: str, duration: int, *, start: int = 0, orders: int = 0) -> Load:
        return run_wrk(
            script, base_url=base_url, key=key, seconds=duration, prefix=prefix, orders=orders, start=start
        )

    made, wanted = 0, workload.orders_for(seconds + 2 * STEP_SECONDS)
    if wanted:
        wanted += UNANSWERED
    while made < wanted:
        made = _went_on(made, run("create", STEP_SECONDS, start=made))
    orders = max(0, made - UNANSWERED)
    sent = 0
    while sent < workload.warm_up:
        sent = _went_on(sent, run(workload.name, STEP_SECONDS, start=sent, orders=orders))

    web_clock = CpuClock(web)
    postgres_clock = CpuClock(postgres) if postgres else None
    load = run(workload.name, seconds, start=sent, orders=orders)
    requests = max(1, load.requests)
    return Result(
        workload=workload.name,
        limited=limited,
        load=load,
        web_cpu_ms=round(web_clock.used() * 1000 / requests, 3),
        postgres_cpu_ms=round(postgres_clock.used() * 1000 / requests, 3) if postgres_clock else None,
        ran_out=bool(workload.moves_per_order) and load.sent > orders * workload.moves_per_order,
    )


def _went_on(before: int, step: Load) -> int:
    """Where the series stands after one more step. Raises LoadFailed where that failed: the rest would be worthless."""
    if step.sent == before or step.bad_status:
        raise LoadFailed(
            f"{step.bad_status} of {step.requests} answers of a preparation were 400 or more: {step}"
        )
    return step.sent
