"""What a wall's board costs, beside no old orders and beside a million of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any

import psutil
import psycopg

from bench.caller import Caller
from bench.load import BenchFailed
from bench.measure import CpuClock
from tests.api.client import Client, new_items

TICKETS = 40
OLD_ORDERS = 1_000_000
ROUNDS = 200
WARM_UP = 50
# The same within this factor, whatever was sold before.
GOAL_FACTOR = 1.2

# Ended orders like the newest one, spread over the last two years, each with one item. No history: no board reads it.
_COLUMNS = """
SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""
_SPREAD = f"{2 * 365 * 86400 / OLD_ORDERS:.3f} seconds"
_THEN = f"now() - interval '2 hours' - n * interval '{_SPREAD}'"
_TIMES = ("created_at", "updated_at", "changed_at", "due_at", "pickup_time")
_ORDERS: dict[str, str] = {"id": "'old-' || n", "status": "4", **dict.fromkeys(_TIMES, _THEN)}
_ITEMS = {"order_id": "'old-' || n", "status": "4"}


@dataclass(frozen=True)
class BoardCost:
    """Milliseconds for one whole board of TICKETS tickets, called one after the other; CPU of web's processes."""

    old_orders: int
    p50_ms: float
    p95_ms: float
    web_cpu_ms: float
    kilobytes: float


@dataclass(frozen=True)
class BoardResult:
    costs: list[BoardCost]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        return [
            f"board of {TICKETS} tickets beside {cost.old_orders:,} old orders: p50 {cost.p50_ms:.1f}, "
            f"p95 {cost.p95_ms:.1f} ms, web CPU {cost.web_cpu_ms:.1f} ms, {cost.kilobytes:.0f} KB "
            f"(goal: the same within {GOAL_FACTOR})"
            for cost in self.costs
        ]

    def wrong(self) -> Iterable[str]:
        first, last = self.costs[0], self.costs[-1]
        if last.web_cpu_ms > first.web_cpu_ms * GOAL_FACTOR and last.p50_ms > first.p50_ms * GOAL_FACTOR:
            yield f"board: beside {last.old_orders:,} old orders it costs more than beside none"


def measure_boards(
    base_url: str,
    link: str,
    key: str,
    database_url: str,
    web: Callable[[], Iterable[psutil.Process]],
    say: Callable[[str], None],
) -> BoardResult:
    """`link` pairs a screen with the kitchen of `key`, which has no orders yet. Raises BenchFailed."""
    make_tickets(Client(base_url, key))
    cookie = paired(base_url, link)
    costs = []
    for old in (0, OLD_ORDERS):
        if old:
            say(f"{old:,} old orders")
            _fill(database_url, old)
        costs.append(_cost(base_url, cookie, old, web))
    return BoardResult(costs)


def make_tickets(client: Client) -> None:
    """TICKETS open orders of one to twelve items in the kitchen of the client's key, on the wall from now on."""
    due = datetime.now(UTC)
    for number in range(TICKETS):
        client.created(
            items=new_items(*(f"P-{position}" for position in range(1 + number * 5 % 12))),
            pickupTime=(due + timedelta(minutes=10 + number / 10)).isoformat(),
            channelOrderDisplayId=f"#{number}",
        )


def paired(base_url: str, link: str) -> str:
    """The cookie of a browser that has used the link."""
    # As the form of the link's page is sent: the token twice, in a cookie and beside it.
    token = secrets.token_hex(16)
    caller = Caller(base_url, {"Cookie": f"csrftoken={token}", "X-CSRFToken": token})
    _, _, answer = caller.call("POST", link)
    caller.close()
    for value in answer.headers.get_all("Set-Cookie", []):
        if value.startswith("huuva_screen="):
            return value.partition(";")[0]
    raise BenchFailed(f"The screen could not be paired: {answer.status}")


def _fill(database_url: str, count: int) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table, key, values in (("orders_order", "id", _ORDERS), ("orders_orderitem", "order_id", _ITEMS)):
            row = connection.execute(_COLUMNS, [table]).fetchone()
            names = str(row[0]).split(",") if row else []
            chosen = ",".join(values.get(name, f"model.{name}") for name in names)
            connection.execute(
                f"INSERT INTO {table} ({','.join(names)}) SELECT {chosen} FROM "  # noqa: S608  (names of our own)
                f"(SELECT * FROM {table} ORDER BY {key} DESC LIMIT 1) model, generate_series(1, {count}) n"
            )
            connection.execute(f"VACUUM ANALYZE {table}")


def _cost(base_url: str, cookie: str, old: int, web: Callable[[], Iterable[psutil.Process]]) -> BoardCost:
    caller = Caller(base_url, {"Cookie": cookie, "X-Requested-With": "fetch", "Accept-Encoding": "identity"})
    for _ in range(WARM_UP):
        _board(caller)
    clock = CpuClock(web)
    times, sizes = zip(*(_board(caller) for _ in range(ROUNDS)), strict=True)
    cpu = clock.used() / ROUNDS * 1000
    caller.close()
    return BoardCost(
        old,
        round(median(times), 2),
        round(quantiles(times, n=20)[-1], 2),
        round(cpu, 2),
        round(sizes[-1] / 1000, 1),
    )


def _board(caller: Caller) -> tuple[float, int]:
    """Milliseconds and bytes."""
    milliseconds, body, answer = caller.call("GET", "/display/board")
    if answer.status != 200 or body.count(b"<article") != TICKETS:
        raise BenchFailed(f"A board answered {answer.status} with {body.count(b'<article')} tickets")
    return milliseconds, len(body)
