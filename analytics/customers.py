"""The accounts with the most orders in a range of time, at a cost that hardly grows with the orders in it.

Summing a whole range reads every order in it. But an account with few orders in each month that the range touches can't
be among the top, so two smaller reads are enough:

1. The top accounts by whole months are summed over the range. The last of the top has *at least* that many orders.
2. Every account that may have that many is summed over the range. An account's orders of whole months, in all kitchens
   and of all brands, are an upper bound for those in the range, so they tell which accounts these are.

The answer is exact. Where the top accounts have hardly more than one order a month, any account may be among them: then
the whole range is summed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from analytics.granularity import Granularity, hour_from, hour_to, next_start, start_of

type TopAccounts = list[tuple[str, int, datetime, datetime]]

# A shorter range is summed at once.
SHORT: Final = timedelta(days=7)
# The first read takes this many times as many accounts as were asked for.
CANDIDATE_FACTOR: Final = 2
_ALL: Final = """
    SELECT account, sum(orders)::bigint AS orders, min(first_at), max(last_at) FROM analytics_customerhour
    WHERE {where} GROUP BY account ORDER BY orders DESC, account LIMIT %(limit)s
"""
# An index-only scan of the index by account.
_IN_RANGE: Final = """
    CROSS JOIN LATERAL (
        SELECT sum(orders)::bigint AS orders, min(hour) AS first_hour, max(hour) AS last_hour
        FROM analytics_customerhour WHERE account = candidates.account AND {where}
    ) AS totals
    WHERE totals.orders > 0
"""
_LOWEST: Final = f"""
    WITH candidates AS (
        SELECT account FROM unnest(%(months)s::timestamptz[]) AS each (month)
        CROSS JOIN LATERAL (
            SELECT account, orders FROM analytics_customermonth
            WHERE month = each.month AND orders > 1 ORDER BY orders DESC, account LIMIT %(candidates)s
        ) AS top
        GROUP BY account ORDER BY sum(orders) DESC LIMIT %(candidates)s
    )
    SELECT totals.orders FROM candidates {_IN_RANGE} ORDER BY totals.orders DESC OFFSET %(limit)s - 1 LIMIT 1
"""  # noqa: S608 (only constants are put in)
# In months that are not read, an account has `few` orders or fewer.
_BEST: Final = f"""
    WITH candidates AS (
        SELECT account FROM analytics_customermonth
        WHERE month = ANY(%(months)s::timestamptz[]) AND orders > 1 AND orders > %(few)s
        GROUP BY account HAVING sum(orders - %(few)s) + %(few)s * cardinality(%(months)s::timestamptz[]) >= %(lowest)s
    ), top AS (
        SELECT candidates.account, totals.* FROM candidates {_IN_RANGE}
        ORDER BY totals.orders DESC, candidates.account LIMIT %(limit)s
    )
    SELECT account, orders,
           (SELECT min(first_at) FROM analytics_customerhour
            WHERE account = top.account AND hour = top.first_hour AND {{where}}),
           (SELECT max(last_at) FROM analytics_customerhour
            WHERE account = top.account AND hour = top.last_hour AND {{where}})
    FROM top ORDER BY orders DESC, account
"""  # noqa: S608 (only constants are put in)


def most_orders(
    since: datetime | None, until: datetime | None, kitchens: Sequence[str], brand: str | None, limit: int
) -> TopAccounts:
    """The `limit` accounts with the most orders created in these hours, ties by account: each with the number of its
    orders, the first and the last. `kitchens`: every one of them must match."""
    conditions, values = [], dict[str, Any](limit=limit, candidates=CANDIDATE_FACTOR * limit)
    for column, compared, name, value in (
        ("hour", ">=", "since", since and hour_from(since)),
        ("hour", "<", "until", until and hour_to(until)),
        ("brand", "=", "brand", brand),
        *(("kitchen", "=", f"kitchen_{number}", kitchen) for number, kitchen in enumerate(kitchens)),
    ):
        if value is not None:
            conditions.append(f"{column} {compared} %({name})s")
            values[name] = value
    where = " AND ".join(conditions) or "true"
    months = [] if since and until and until - since < SHORT else _months(since, until)
    if months:
        values["months"] = months
        # No row where there are fewer accounts than asked for.
        lowest = sum(orders for (orders,) in _rows(_LOWEST.format(where=where), values))
        # With this many orders in each month an account still doesn't reach the last of the top.
        few = max(0, lowest - 1) // len(months)
        if few:
            return _rows(_BEST.format(where=where), values | {"few": few, "lowest": lowest})
    return _rows(_ALL.format(where=where), values)


def _months(since: datetime | None, until: datetime | None) -> list[datetime]:
    """The months of the range that may have orders."""
    [(first, last)] = _rows("SELECT min(month), max(month) FROM analytics_customermonth", {})
    if first is None:
        return []
    month = first if since is None else max(first, start_of(Granularity.MONTH, since))
    end = (
        next_start(Granularity.MONTH, last)
        if until is None
        else min(next_start(Granularity.MONTH, last), hour_to(until))
    )
    months = []
    while month < end:
        months.append(month)
        month = next_start(Granularity.MONTH, month)
    return months


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
