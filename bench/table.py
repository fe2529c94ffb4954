"""The figures of all benchmarks as one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import psutil

from bench.load import CONNECTIONS
from bench.measure import Result
from bench.workloads import GOAL_SECOND_START_SECONDS, WORKLOADS
from tests.figures import aligned, circumstances

HEAD = (
    "work",
    "clients",
    "req/s",
    "goal",
    "web CPU ms",
    "goal",
    "PG CPU ms",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "failed",
)


class Figures(Protocol):
    """What one part of the benchmarks found."""

    def as_json(self) -> dict[str, Any]: ...
    def lines(self) -> Iterable[str]: ...
    def wrong(self) -> Iterable[str]:
        """What makes the figures worthless, or the product broken; not a goal that is missed."""


def print_table(
    results: Sequence[Result], second_start: float | None, measured: Mapping[str, Figures]
) -> None:
    rows: list[Sequence[str]] = [HEAD]
    for workload in WORKLOADS:
        for result in (result for result in results if result.workload == workload.name):
            goals = result.clients == CONNECTIONS
            rows.append(
                (
                    workload.title + ("" if result.limited else ", no limit"),
                    f"{result.clients}",
                    f"{result.load.per_second:,.0f}",
                    f"≥ {workload.goal_per_second:,}" if goals else "",
                    f"{result.web_cpu_ms:.2f}",
                    f"≤ {workload.goal_cpu_ms:.1f}" if goals else "",
                    f"{result.postgres_cpu_ms:.2f}",
                    f"{result.load.p50_ms:.1f}",
                    f"{result.load.p95_ms:.1f}",
                    f"{result.load.p99_ms:.1f}",
                    f"{result.failures}" + (" !" if result.failures or result.ran_out else ""),
                )
            )
    if results:
        print("\n".join(aligned(rows)))
    print(f"\nload average of the machine: {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} CPUs")
    if second_start is not None:
        print(f"second start to first page: {second_start:.1f} s (goal ≤ {GOAL_SECOND_START_SECONDS:.0f} s)")
    for figures in measured.values():
        print("\n".join(figures.lines()))


def wrong_with(results: Sequence[Result], measured: Mapping[str, Figures]) -> list[str]:
    """What makes figures worthless: answers that weren't 2xx, moves that moved nothing, what the parts say."""
    complaints = []
    for result in results:
        if result.failures:
            complaints.append(
                f"{result.workload}: {result.load.bad_status} answers of 400 or more, "
                f"{result.load.socket_errors} socket errors"
            )
        if result.ran_out:
            complaints.append(
                f"{result.workload}: the prepared orders were used up; run it with fewer seconds"
            )
    return complaints + [complaint for figures in measured.values() for complaint in figures.wrong()]


def as_json(
    results: Sequence[Result], second_start: float | None, measured: Mapping[str, Figures]
) -> dict[str, Any]:
    return {
        **circumstances(),
        "second_start_seconds": second_start,
        "results": [result.as_json() for result in results],
        **{name: figures.as_json() for name, figures in measured.items()},
    }
