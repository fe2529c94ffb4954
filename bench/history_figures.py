"""The figures of the history benchmark, side by side for each number of orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from bench.load import Load

GOAL_REFRESH_MS, GOAL_REFRESH_GROWTH = 250.0, 1.3
GOAL_READ_P95_MS, GOAL_READ_GROWTH = 30.0, 1.2
GOAL_PAGE_P95_MS = 300.0
# Smaller differences than this are the machine's, not the history's.
NOISE_MS = 1.0


class Times(NamedTuple):
    """Of a read, in milliseconds. `cpu`: of web and PostgreSQL, the mean; where others use the machine, too, it is the
    steadier figure."""

    p50: float
    p95: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.p50:.1f} / {self.p95:.1f} · {self.cpu:.1f}"


@dataclass
class Figures:
    """At one size of history."""

    orders: int
    rows: int
    written: int  # of these orders, since the size before
    filled_seconds: int
    figures_seconds: int
    refresh_ms: float = 0
    refresh_cpu_ms: float = 0
    reads: dict[str, Times] = field(default_factory=dict)
    pages: dict[str, Times] = field(default_factory=dict)
    throughput: Load | None = None
    web_cpu_ms: float = 0


@dataclass(frozen=True)
class HistoryResult:
    """The same figures beside ever more orders, the fewest first."""

    changes: int  # before each refresh
    sizes: list[Figures]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        for size in self.sizes:
            yield (
                f"past: {size.orders:,} orders, {size.rows:,} rows of history: the last {size.written:,} written in "
                f"{size.filled_seconds} s, figures made in {size.figures_seconds} s"
            )
        yield _line("orders", (f"{size.orders:,}" for size in self.sizes), "goal")
        yield _line(
            f"refresh after {self.changes:,} changes, ms",
            (f"{size.refresh_ms:.0f}" for size in self.sizes),
            f"≤ {GOAL_REFRESH_MS:.0f}, ≤ {GOAL_REFRESH_GROWTH}×",
        )
        yield _line(
            "its CPU in web and PostgreSQL, ms", (f"{size.refresh_cpu_ms:.0f}" for size in self.sizes)
        )
        yield "p50 / p95 · CPU of web and PostgreSQL, ms:"
        for name in self.sizes[0].reads:
            yield _line(
                name,
                (str(size.reads[name]) for size in self.sizes),
                f"p95 ≤ {GOAL_READ_P95_MS:.0f}, ≤ {GOAL_READ_GROWTH}×",
            )
        for name in self.sizes[0].pages:
            yield _line(
                name,
                (str(size.pages[name]) for size in self.sizes),
                f"p95 ≤ {GOAL_PAGE_P95_MS:.0f}",
            )
        rates = [size.throughput.per_second for size in self.sizes if size.throughput]
        yield _line("analytics in turn, 8 clients, req/s", (f"{rate:,.0f}" for rate in rates), "≥ 2,445")
        yield _line("CPU of web for each, ms", (f"{size.web_cpu_ms:.2f}" for size in self.sizes), "≤ 0.70")
        yield from self.misses()

    def wrong(self) -> Iterable[str]:
        return ()

    def misses(self) -> Iterator[str]:
        """What misses its goal; on a machine that others use, too, that says little."""
        few, many = self.sizes[0], self.sizes[-1]
        if many.refresh_ms > GOAL_REFRESH_MS:
            yield f"history: a refresh takes {many.refresh_ms:.0f} ms"
        if many.refresh_ms > GOAL_REFRESH_GROWTH * few.refresh_ms:
            yield f"history: a refresh grows {many.refresh_ms / few.refresh_ms:.2f}×"
        for name, more in many.reads.items():
            # The fewest orders are those of twelve days, so 90 days hold more beside more orders, until there are 90.
            young = "90 days" in name and len(self.sizes) > 2
            less = (self.sizes[1] if young else few).reads[name]
            if more.p95 > GOAL_READ_P95_MS:
                yield f"history: {name} takes {more.p95:.1f} ms at p95 (with fewer orders: {less.p95:.1f})"
            if more.p50 > GOAL_READ_GROWTH * less.p50 + NOISE_MS:
                growth = f"grows {more.p50 / less.p50:.2f}×, its CPU from {less.cpu:.1f} to {more.cpu:.1f} ms"
                yield f"history: {name} {growth}"
        for name, page in many.pages.items():
            if page.p95 > GOAL_PAGE_P95_MS:
                yield f"history: {name} takes {page.p95:.0f} ms at p95"


def _line(name: str, cells: Iterable[str], goal: str = "") -> str:
    return f"{name:44}" + "".join(f"{cell:>23}" for cell in cells) + (f"   {goal}" if goal else "")
