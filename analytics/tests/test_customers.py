"""The customers with the most orders in a range are the same as by summing the whole range, without doing so."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.customers import TopAccounts, most_orders
from analytics.granularity import Granularity, start_of
from analytics.models import CustomerHour, CustomerMonth

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 20, 7, tzinfo=UTC)
DAYS = 120
PLACES = [(kitchen, brand) for kitchen in ("harju", "kallio") for brand in ("burgers", "sushi")]


def make_orders(*, customers: int, orders: int, seed: int = 1) -> list[CustomerHour]:
    """Orders over `DAYS` days. The first customers order often, the last once or never."""
    dice = random.Random(seed)
    hours: dict[tuple[datetime, str, str, str], CustomerHour] = {}
    months: Counter[tuple[datetime, str]] = Counter()
    for _ in range(orders):
        at = START + timedelta(minutes=dice.randrange(DAYS * 24 * 60))
        account = f"acc-{int(customers * dice.random() ** 3):03}"
        hour = start_of(Granularity.HOUR, at)
        key = (hour, *dice.choice(PLACES), account)
        row = hours.setdefault(
            key,
            CustomerHour(
                hour=hour, kitchen=key[1], brand=key[2], account=account, orders=0, first_at=at, last_at=at
            ),
        )
        row.orders += 1
        row.first_at, row.last_at = min(row.first_at, at), max(row.last_at, at)
        months[start_of(Granularity.MONTH, at), account] += 1
    CustomerHour.objects.bulk_create(hours.values())
    CustomerMonth.objects.bulk_create(
        CustomerMonth(month=month, account=account, orders=number)
        for (month, account), number in months.items()
    )
    return list(hours.values())


def summed(
    rows: list[CustomerHour],
    since: datetime | None,
    until: datetime | None,
    kitchens: tuple[str, ...],
    brand: str | None,
    limit: int,
) -> TopAccounts:
    totals: dict[str, tuple[str, int, datetime, datetime]] = {}
    for row in rows:
        if (
            (since is None or row.hour >= since)
            and (until is None or row.hour < until)
            and all(kitchen == row.kitchen for kitchen in kitchens)
            and brand in (None, row.brand)
        ):
            _, orders, first, last = totals.get(row.account, ("", 0, row.first_at, row.last_at))
            totals[row.account] = (
                row.account,
                orders + row.orders,
                min(first, row.first_at),
                max(last, row.last_at),
            )
    return sorted(totals.values(), key=lambda each: (-each[1], each[0]))[:limit]


@pytest.mark.parametrize(("customers", "orders"), [(60, 4_000), (600, 4_000), (3, 200), (900, 600)])
def test_the_top_accounts_are_those_of_the_summed_range(customers: int, orders: int) -> None:
    rows = make_orders(customers=customers, orders=orders)
    dice = random.Random(2)
    ways = set()
    for _ in range(60):
        since, until = sorted(START + timedelta(hours=dice.randrange(-48, DAYS * 24 + 48)) for _ in range(2))
        query = (
            dice.choice((since, since, None)),
            dice.choice((until, until, None)),
            dice.choice(((), (), ("harju",), ("harju", "harju"), ("harju", "kallio"))),
            dice.choice((None, None, "sushi", "nobody")),
            dice.choice((1, 3, 10, 100, 1000)),
        )
        with CaptureQueriesContext(connection) as queries:
            assert most_orders(*query) == summed(rows, *query), query
        ways.add("candidates" in queries[-1]["sql"])
    assert ways == {True, False}, "with candidates, and by summing all"


def test_without_orders_there_are_none() -> None:
    assert most_orders(START, None, (), None, 100) == []


def test_where_the_top_stands_out_few_accounts_are_read() -> None:
    make_orders(customers=2_000, orders=6_000)
    with CaptureQueriesContext(connection) as queries:
        most_orders(START, START + timedelta(days=80), (), None, 10)
    sql = queries[-1]["sql"]
    with connection.cursor() as cursor:
        candidates = sql[sql.index("(") + 1 : sql.index("), top AS")]
        cursor.execute(f"SELECT count(*) FROM ({candidates}) AS candidates".replace("%", "%%"))
        [(number,)] = cursor.fetchall()
        cursor.execute("SELECT count(DISTINCT account) FROM analytics_customerhour")
        [(accounts,)] = cursor.fetchall()
    assert number < 60 < accounts / 10, (number, accounts)
