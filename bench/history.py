"""What becomes slower with the number of stored orders: the same calls from ten thousand orders to a million."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any

from bench.boards import make_tickets, paired
from bench.caller import Caller
from bench.history_figures import Figures, HistoryResult, Times
from bench.load import BenchFailed, run_wrk
from bench.measure import CpuClock
from bench.stack import Stack
from tests.api.client import Client

FEW, MANY = 10_000, 1_000_000
GROWS = 10
PER_DAY = 800
CALLS = 100
WARM = 20
REFRESHES = 5
CHANGES = 1000
PAGES = 30
FILLED = re.compile(r"Wrote ([\d,]+) orders with ([\d,]+) rows of history in (\d+) s, .*? in (\d+) s")
# Answers that a process has kept are worth nothing here: the figures move on before each.
DASHBOARDS = {
    "admin's front, dashboard of today, cold": "/admin/",
    "dashboard of 7 days, cold": "/admin/analytics/?range=7",
    "dashboard of 90 days, cold": "/admin/analytics/?range=90",
}
REPORTS = ("order-status-durations", "item-status-durations", "hourly-throughput", "customer-order-counts")


def measure_history(stack: Stack, orders: int, seconds: int, say: Callable[[str], None]) -> HistoryResult:
    """Fills the stack with ever more orders and measures after each. `seconds`: how long wrk drives the reports."""
    for slug in ("changes", "tickets"):
        stack.create_kitchen(slug)
    key = stack.create_key("bench-history", 0)
    writer = stack.create_key("bench-changes", 0, "--kitchen", "changes")
    # In a kitchen of their own: the board has the same open orders each time.
    make_tickets(Client(stack.base_url, stack.create_key("bench-tickets", 0, "--kitchen", "tickets")))
    cookie, session = _paired(stack), _logged_in(stack)
    sizes: list[Figures] = []
    for orders_wanted in _sizes(orders):
        before = sizes[-1] if sizes else None
        days = max(1, round((orders_wanted - (before.orders if before else 0)) / PER_DAY))
        say(f"{days} days of {PER_DAY} orders")
        figures = _fill(stack, days, before)
        say("reads and refreshes")
        reader = Caller(stack.base_url, {"Authorization": f"Bearer {key}"})
        for name, paths in _reads(reader).items():
            figures.reads[name] = _timed(stack, reader, paths)
        wall = Caller(stack.base_url, {"Cookie": cookie})
        figures.reads["board of a wall"] = _timed(stack, wall, itertools.repeat("/display/board"))
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
            raise BenchFailed(f"{figures.throughput.bad_status} reports were 400 or more")
        sizes.append(figures)
        for caller in (reader, wall, manager):
            caller.close()
    return HistoryResult(CHANGES, sizes)


def _sizes(orders: int) -> list[int]:
    """From FEW on, each ten times the one before, up to so many orders."""
    sizes = [FEW]
    while sizes[-1] * GROWS < orders:
        sizes.append(sizes[-1] * GROWS)
    return [*sizes, orders]


def _fill(stack: Stack, days: int, before: Figures | None) -> Figures:
    output = stack.manage(
        "simulate", "--days", str(days), "--orders-per-day", str(PER_DAY), "--seed", str(days)
    )
    numbers = FILLED.search(output)
    if numbers is None:
        raise BenchFailed(f"simulate said: {output}")
    orders, rows, filled, figures = (int(number.replace(",", "")) for number in numbers.groups())
    if before:
        return Figures(before.orders + orders, before.rows + rows, orders, filled, figures)
    return Figures(orders, rows, orders, filled, figures)


def _paired(stack: Stack) -> str:
    """The cookie of a browser that is a wall of kitchen tickets."""
    return paired(
        stack.base_url, stack.manage("pair_screen", "bench-history", "--kitchen", "tickets").strip()
    )


def _logged_in(stack: Stack) -> str:
    """The cookie of somebody who sees everything."""
    make = (
        "from django.contrib.auth.models import User; from django.test import Client; client = Client(); "
        "client.force_login(User.objects.create_superuser('bench-history')); "
        "print('session', *(f'{name}={each.value}' for name, each in client.cookies.items()))"
    )
    output = stack.manage("shell", "--no-imports", "-c", make)
    return next(line for line in output.splitlines() if line.startswith("session ")).split()[1]


def _reads(reader: Caller) -> dict[str, Iterator[str]]:
    """The calls, by name. Ranges differ with each call, so no answer comes from a cache."""
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


def _timed(stack: Stack, caller: Caller, paths: Iterator[str]) -> Times:
    for path in itertools.islice(paths, WARM):
        caller.call("GET", path)
    clock = CpuClock(lambda: [*stack.web(), *stack.postgres()])
    return _times([caller.call("GET", path)[0] for path in itertools.islice(paths, CALLS)], clock.used())


def _times(times: list[float], cpu_seconds: float) -> Times:
    return Times(
        round(median(times), 2),
        round(quantiles(times, n=20)[-1], 2),
        round(cpu_seconds * 1000 / len(times), 2),
    )


def _cold(manager: Caller, path: str, stack: Stack, key: str) -> Times:
    """Of a page whose figures have changed since it was last called."""
    writer = Caller(stack.base_url, {"Authorization": f"Bearer {key}"})
    times, used = [], 0.0
    for number in range(WARM + PAGES):
        writer.call("POST", "/api/orders", _order())
        writer.call("POST", "/api/analytics/refresh")
        clock = CpuClock(lambda: [*stack.web(), *stack.postgres()])
        milliseconds = manager.call("GET", path)[0]
        if number >= WARM:
            times.append(milliseconds)
            used += clock.used()
    writer.close()
    return _times(times, used)


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
