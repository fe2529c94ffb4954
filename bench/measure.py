"""Run one workload: make its orders, warm up, then measure load and CPU time together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import psutil
import psycopg

from bench.load import ROOT, BenchFailed, Load, run_wrk
from bench.workloads import Workload

STEP_SECONDS = 2  # how long wrk runs at a time while everything gets warm
KITCHEN = "main"


@dataclass(frozen=True)
class Result:
    """One row of the table. CPU in milliseconds per request."""

    workload: str
    limited: bool
    clients: int
    load: Load
    web_cpu_ms: float
    postgres_cpu_ms: float
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
    clients: int,
    seconds: int,
    web: Callable[[], Iterable[psutil.Process]],
    postgres: Callable[[], Iterable[psutil.Process]],
    database_url: str,
    run_id: str,
) -> Result:
    prefix = f"{run_id}-{workload.name}-{'limited' if limited else 'free'}-{clients}"

    def run(script: str, duration: int, *, start: int = 0, orders: int = 0) -> Load:
        return run_wrk(
            script,
            base_url=base_url,
            key=key,
            seconds=duration,
            prefix=prefix,
            orders=orders,
            start=start,
            clients=clients,
        )

    orders = workload.orders_for(seconds + 2 * STEP_SECONDS)
    if orders:
        with psycopg.connect(database_url, autocommit=True) as connection:
            make_orders(connection, prefix, orders, KITCHEN)
    sent = 0
    while sent < workload.warm_up:
        step = run(workload.name, STEP_SECONDS, start=sent, orders=orders)
        if step.sent == sent or step.bad_status:
            raise BenchFailed(
                f"{step.bad_status} of {step.requests} answers of a warm-up were 400 or more: {step}"
            )
        sent = step.sent

    web_clock, postgres_clock = CpuClock(web), CpuClock(postgres)
    load = run(workload.name, seconds, start=sent, orders=orders)
    requests = max(1, load.requests)
    return Result(
        workload=workload.name,
        limited=limited,
        clients=clients,
        load=load,
        web_cpu_ms=round(web_clock.used() * 1000 / requests, 3),
        postgres_cpu_ms=round(postgres_clock.used() * 1000 / requests, 3),
        ran_out=bool(workload.moves_per_order) and load.sent > orders * workload.moves_per_order,
    )


def make_orders(connection: psycopg.Connection[Any], prefix: str, number: int, kitchen: str) -> None:
    """Straight into the database: wrk breaks off its last calls, and orders that it made would have gaps."""
    words = {"prefix": prefix, "number": number, "kitchen": kitchen}
    with connection.transaction():
        for statement in (ROOT / "bench" / "orders.sql").read_text(encoding="utf-8").split(";"):
            connection.execute(statement.encode(), words)
