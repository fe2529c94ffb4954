"""What grows with what was ever sold, and what doesn't: the same calls at ten thousand orders and at a million."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from bench.load import Load, run_wrk
from bench.measure import CpuClock
from bench.stack import Stack, StackFailed

FEW, MANY = 10_000, 1_000_000
PER_DAY = 800
CALLS = 100
WARM = 20
REFRESHES = 5
CHANGES = 1000
GOAL_REFRESH_MS, GOAL_REFRESH_GROWTH = 250.0, 1.3
GOAL_READ_P95_MS, GOAL_READ_GROWTH = 30.0, 1.2
GOAL_PAGE_P95_MS = 300.0
PAGES = 30
# Smaller differences than this are the machine's, not the history's.
NOISE_MS = 1.0
FILLED = re.compile(r"Wrote ([\d,]+) orders with ([\d,]+) rows of history in (\d+) s, .*? in (\d+) s")
# Answers that a process has kept are worth nothing here: the figures move on before each.
DASHBOARDS = {
    "admin's front, dashboard of today, cold": "/admin/",
    "dashboard of 7 days, cold": "/admin/analytics/?range=7",
    "dashboard of 90 days, cold": "/admin/analytics/?range=90",
}
REPORTS = ("order-status-durations", "item-status-durations", "hourly-throughput", "customer-order-counts")


@dataclass
class Figures:
    """At one size of history. `reads` and `pages`: p50 and p95 of each, in milliseconds."""

    orders: int
    rows: int
    filled_seconds: int
    figures_seconds: int
    refresh_ms: float = 0
    refresh_cpu_ms: float = 0
    reads: dict[str, tuple[float, float]] = field(default_factory=dict)
    pages: dict[str, tuple[float, float]] = field(default_factory=dict)
    throughput: Load | None = None
    web_cpu_ms: float = 0


@dataclass(frozen=True)
class HistoryResult:
    few: Figures
    many: Figures

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        few, many = self.few, self.many
        for size in (few, many):
            per_second = size.orders / max(1, size.filled_seconds)
            yield (
                f"past: {size.orders:,} orders, {size.rows:,} rows of history: written in {size.filled_seconds} s "
                f"({per_second:,.0f} orders/s), figures made in {size.figures_seconds} s "
                f"({size.rows / max(1, size.figures_seconds):,.0f} rows/s)"
            )
        yield f"{'':44}{few.orders:>16,}{many.orders:>16,}   goal"
        yield (
            f"{f'refresh after {CHANGES:,} changes, ms':44}{few.refresh_ms:>16.0f}{many.refresh_ms:>16.0f}"
            f"   ≤ {GOAL_REFRESH_MS:.0f}, ≤ {GOAL_REFRESH_GROWTH}×"
        )
        yield f"{'its CPU in web and PostgreSQL, ms':44}{few.refresh_cpu_ms:>16.0f}{many.refresh_cpu_ms:>16.0f}"
        for name, (p50, p95) in few.reads.items():
            more = many.reads[name]
            yield (
                f"{f'{name}, p50 / p95 ms':44}{f'{p50:.1f} / {p95:.1f}':>16}{f'{more[0]:.1f} / {more[1]:.1f}':>16}"
                f"   p95 ≤ {GOAL_READ_P95_MS:.0f}, ≤ {GOAL_READ_GROWTH}×"
            )
        for name, (p50, p95) in few.pages.items():
            more = many.pages[name]
            yield (
                f"{f'{name}, p50 / p95 ms':44}{f'{p50:.0f} / {p95:.0f}':>16}{f'{more[0]:.0f} / {more[1]:.0f}':>16}"
                f"   p95 ≤ {GOAL_PAGE_P95_MS:.0f}"
            )
        if few.throughput and many.throughput:
            each = [f"{size.throughput.per_second:,.0f}" for size in (few, many) if size.throughput]
            yield f"{'analytics in turn, 8 clients, req/s':44}{each[0]:>16}{each[1]:>16}   ≥ 2,445"
            yield f"{'CPU of web for each, ms':44}{few.web_cpu_ms:>16.2f}{many.web_cpu_ms:>16.2f}   ≤ 0.70"
        yield from self.misses()

    def wrong(self) -> Iterator[str]:
        yield from ()

    def misses(self) -> Iterator[str]:
        """What misses its goal; on a machine that others use, too, that says little."""
        if self.many.refresh_ms > GOAL_REFRESH_MS:
            yield f"history: a refresh takes {self.many.refresh_ms:.0f} ms"
        if self.many.refresh_ms > GOAL_REFRESH_GROWTH * self.few.refresh_ms:
            yield f"history: a refresh grows {self.many.refresh_ms / self.few.refresh_ms:.2f}×"
        for name, (few, few_p95) in self.few.reads.items():
            many, many_p95 = self.many.reads[name]
            if many_p95 > GOAL_READ_P95_MS:
                yield f"history: {name} takes {many_p95:.1f} ms at p95 (at {self.few.orders:,}: {few_p95:.1f})"
            if many > GOAL_READ_GROWTH * few + NOISE_MS:
                yield f"history: {name} grows {many / few:.2f}×"
        for name, (_, p95) in self.many.pages.items():
            if p95 > GOAL_PAGE_P95_MS:
                yield f"history: {name} takes {p95:.0f} ms at p95"


class Caller:
    """One kept connection, as one client has it."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        self._headers = headers

    def call(self, method: str, path: str, body: Any = None) -> tuple[float, bytes, http.client.HTTPResponse]:
        """Milliseconds, body and answer. Raises StackFailed where it isn't a success."""
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if data is None else {**self._headers, "Content-Type": "application/json"}
        began = time.perf_counter()
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        milliseconds = (time.perf_counter() - began) * 1000
        if answer.status >= 400:
            raise StackFailed(f"{method} {path} answered {answer.status}: {content[:300]!r}")
        return milliseconds, content, answer

    def close(self) -> None:
        self._connection.close()


def measure_history(stack: Stack, orders: int, seconds: int, say: Callable[[str], None]) -> HistoryResult:
    """Fills the stack twice and measures after each. `seconds`: how long wrk drives the reports."""
    make = "from orders.models import Kitchen; Kitchen(slug='changes', name='Changes').save()"
    stack.manage("shell", "--no-imports", "-c", make)
    key = stack.create_key("bench-history", 0)
    # Changes come in a kitchen of their own: the board of the other one has the same open orders both times.
    writer = stack.create_key("bench-changes", 0, "--kitchen", "changes")
    cookie, session = _paired(stack), _logged_in(stack)
    found = []
    for wanted in (FEW, orders - FEW):
        days = max(1, round(wanted / PER_DAY))
        say(f"{days} days of {PER_DAY} orders")
        figures = _fill(stack, days)
        say("reads and refreshes")
        reader = Caller(stack.base_url, {"Authorization": f"Bearer {key}"})
        for name, paths in _reads(reader).items():
            figures.reads[name] = _timed(reader, paths)
        wall = Caller(stack.base_url, {"Cookie": cookie})
        figures.reads["board of a wall"] = _timed(wall, itertools.repeat("/display/board"))
        manager = Caller(stack.base_url, {"Cookie": session})
        for name, path in DASHBOARDS.items():
            figures.pages[name] = _cold(manager, path, stack, writer)
        _measure_refresh(stack, figures, writer)
        clock = CpuClock(stack.web)
        figures.throughput = run_wrk(
            "analytics", base_url=stack.base_url, key=key, seconds=seconds, prefix="history"
        )
        figures.web_cpu_ms = clock.used() * 1000 / max(1, figures.throughput.requests)
        if figures.throughput.bad_status:
            raise StackFailed(f"{figures.throughput.bad_status} reports were 400 or more")
        found.append(figures)
        for caller in (reader, wall, manager):
            caller.close()
    few, many = found
    many.orders, many.rows = many.orders + few.orders, many.rows + few.rows
    return HistoryResult(few, many)


def _fill(stack: Stack, days: int) -> Figures:
    told = stack.manage(
        "simulate", "--days", str(days), "--orders-per-day", str(PER_DAY), "--seed", str(days)
    )
    numbers = FILLED.search(told)
    if numbers is None:
        raise StackFailed(f"simulate said: {told}")
    orders, rows, filled, figures = (int(number.replace(",", "")) for number in numbers.groups())
    return Figures(orders, rows, filled, figures)


def _paired(stack: Stack) -> str:
    """The cookie of a browser that is a wall of kitchen main."""
    caller = Caller(stack.base_url, {})
    _, _, answer = caller.call("GET", stack.manage("pair_screen", "bench-history", "--kitchen", "main"))
    cookies = [value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie", [])]
    caller.close()
    return "; ".join(cookies)


def _logged_in(stack: Stack) -> str:
    """The cookie of somebody who sees everything."""
    make = (
        "from django.contrib.auth.models import User; from django.test import Client; client = Client(); "
        "client.force_login(User.objects.create_superuser('bench-history')); "
        "print('session', *(f'{name}={each.value}' for name, each in client.cookies.items()))"
    )
    told = stack.manage("shell", "--no-imports", "-c", make)
    return next(line for line in told.splitlines() if line.startswith("session ")).split()[1]


def _reads(reader: Caller) -> dict[str, Iterator[str]]:
    """What is asked, by name. Ranges differ with each call, so no answer is one that was kept."""
    now = datetime.now(UTC)
    week_ago = f"{now - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"

    def moved(path: str, first: timedelta) -> Iterator[str]:
        for number in itertools.count():
            since = now - first - timedelta(hours=number % 199)
            yield f"/api/analytics/{path}?from={since:%Y-%m-%dT%H:%M:%SZ}"

    ids = [row["id"] for row in json.loads(reader.call("GET", "/api/orders?limit=200")[1])["results"]]
    return {
        "get": (f"/api/orders/{order_id}" for order_id in itertools.cycle(ids)),
        "list of 20": itertools.repeat("/api/orders?limit=20"),
        "list of 20, one status": itertools.repeat("/api/orders?limit=20&status=CANCELLED"),
        "list of 20, unknown brand": itertools.repeat("/api/orders?limit=20&brandId=nobody"),
        "list of 20, picked up a week ago": itertools.repeat(f"/api/orders?limit=20&pickupTo={week_ago}"),
        "list of 20, nothing picked up so early": itertools.repeat(
            "/api/orders?limit=20&pickupTo=2001-01-01T00:00:00Z"
        ),
        "list of 20, updated in a week": itertools.repeat(f"/api/orders?limit=20&updatedAfter={week_ago}"),
        **{f"{name}, kept": itertools.repeat(f"/api/analytics/{name}") for name in REPORTS},
        **{f"{name}, a day": moved(name, timedelta(days=1)) for name in REPORTS},
        **{f"{name}, 90 days": moved(name, timedelta(days=82)) for name in REPORTS},
    }


def _timed(caller: Caller, paths: Iterator[str]) -> tuple[float, float]:
    for path in itertools.islice(paths, WARM):
        caller.call("GET", path)
    times = [caller.call("GET", path)[0] for path in itertools.islice(paths, CALLS)]
    return round(median(times), 2), round(quantiles(times, n=20)[-1], 2)


def _cold(manager: Caller, path: str, stack: Stack, key: str) -> tuple[float, float]:
    """Of a page whose figures have moved on since it was last asked for."""
    writer = Caller(stack.base_url, {"Authorization": f"Bearer {key}"})
    times = []
    for _ in range(WARM + PAGES):
        writer.call("POST", "/api/orders", _order())
        writer.call("POST", "/api/analytics/refresh")
        times.append(manager.call("GET", path)[0])
    writer.close()
    return round(median(times[WARM:]), 1), round(quantiles(times[WARM:], n=20)[-1], 1)


def _order() -> dict[str, Any]:
    return {
        "account": "bench",
        "brandId": "burger-house",
        "channelOrderId": "C1",
        "customer": {"name": "Aino", "phoneNumber": ""},
        "pickupTime": (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds"),
        "items": [{"plu": f"GRILL-{n}", "name": "Dish", "quantity": 1} for n in range(4)],
    }


def _measure_refresh(stack: Stack, figures: Figures, key: str) -> None:
    """The median of some refreshes, each after so many changes. One that beat's own has preempted doesn't count."""
    caller = Caller(stack.base_url, {"Authorization": f"Bearer {key}"})
    times: list[float] = []
    cpu: list[float] = []
    body = _order()
    while len(times) < REFRESHES:
        caller.call("POST", "/api/analytics/refresh")
        # An order of four items that is moved once: ten rows of history.
        for number in range(CHANGES // 10):
            _, content, _ = caller.call("POST", "/api/orders", {**body, "account": f"bench-{number}"})
            caller.call("PATCH", f"/api/orders/{json.loads(content)['id']}", {"status": "PICKED_UP"})
        clock = CpuClock(lambda: [*stack.web(), *stack.postgres()])
        milliseconds, content, _ = caller.call("POST", "/api/analytics/refresh")
        if json.loads(content)["changes"] == CHANGES:
            times.append(milliseconds)
            cpu.append(clock.used() * 1000)
    caller.close()
    figures.refresh_ms, figures.refresh_cpu_ms = round(median(times), 1), round(median(cpu), 1)
