"""The accounts with the most orders in a range of time, at a cost that hardly grows with the orders in it.

Adding up a range looks at every order in it. But who has few orders in each month that the range touches can't be
among the best, so two looks at those who have many do:

1. The best by whole months are added up in the range itself: that many orders the last of the best has *at least*.
2. Whoever may have that many is added up in the range. An account's orders of whole months, wherever and of whatever
   brand, are never fewer than those in the range, so they say who.

The answer is exact. Where the best have hardly more than an order a month, anybody may be among them: then all of the
range is added up.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from analytics.granularity import Granularity, hour_from, hour_to, next_start, start_of

type Best = list[tuple[str, int, datetime, datetime]]

# A shorter range is added up at once.
SHORT: Final = timedelta(days=7)
# Of so many times as many accounts as are asked for the best are taken for the first look.
MORE: Final = 2
_ALL: Final = """
    SELECT account, sum(orders)::bigint AS orders, min(first_at), max(last_at) FROM analytics_customerhour
    WHERE {where} GROUP BY account ORDER BY orders DESC, account LIMIT %(limit)s
"""
# The index by account has all that this asks for.
_IN_RANGE: Final = """
    CROSS JOIN LATERAL (
        SELECT sum(orders)::bigint AS orders, min(hour) AS first_hour, max(hour) AS last_hour
        FROM analytics_customerhour WHERE account = named.account AND {where}
    ) AS found
    WHERE found.orders > 0
"""
_LOWEST: Final = f"""
    WITH named AS (
        SELECT account FROM unnest(%(months)s::timestamptz[]) AS each (month)
        CROSS JOIN LATERAL (
            SELECT account, orders FROM analytics_customermonth
            WHERE month = each.month AND orders > 1 ORDER BY orders DESC, account LIMIT %(more)s
        ) AS best
        GROUP BY account ORDER BY sum(orders) DESC LIMIT %(more)s
    )
    SELECT found.orders FROM named {_IN_RANGE} ORDER BY found.orders DESC OFFSET %(limit)s - 1 LIMIT 1
"""  # noqa: S608 (only constants are put in)
# Of months that are not looked at an account has `few` orders or fewer.
_BEST: Final = f"""
    WITH named AS (
        SELECT account FROM analytics_customermonth
        WHERE month = ANY(%(months)s::timestamptz[]) AND orders > 1 AND orders > %(few)s
        GROUP BY account HAVING sum(orders - %(few)s) + %(few)s * cardinality(%(months)s::timestamptz[]) >= %(lowest)s
    ), best AS (
        SELECT named.account, found.* FROM named {_IN_RANGE}
        ORDER BY found.orders DESC, named.account LIMIT %(limit)s
    )
    SELECT account, orders,
           (SELECT min(first_at) FROM analytics_customerhour
            WHERE account = best.account AND hour = best.first_hour AND {{where}}),
           (SELECT max(last_at) FROM analytics_customerhour
            WHERE account = best.account AND hour = best.last_hour AND {{where}})
    FROM best ORDER BY orders DESC, account
"""  # noqa: S608 (only constants are put in)


def most_orders(
    since: datetime | None, until: datetime | None, kitchens: Sequence[str], brand: str | None, limit: int
) -> Best:
    """The `limit` accounts with the most orders created in these hours, and of equal ones the first by account: each
    with their number, the first and the last. `kitchens`: every one of them must match."""
    parts, values = [], dict[str, Any](limit=limit, more=MORE * limit)
    for column, compared, name, value in (
        ("hour", ">=", "since", since and hour_from(since)),
        ("hour", "<", "until", until and hour_to(until)),
        ("brand", "=", "brand", brand),
        *(("kitchen", "=", f"kitchen_{number}", kitchen) for number, kitchen in enumerate(kitchens)),
    ):
        if value is not None:
            parts.append(f"{column} {compared} %({name})s")
            values[name] = value
    where = " AND ".join(parts) or "true"
    months = [] if since and until and until - since < SHORT else _months(since, until)
    if months:
        values["months"] = months
        # Nothing where fewer accounts are known than are asked for.
        lowest = sum(orders for (orders,) in _rows(_LOWEST.format(where=where), values))
        # So many orders in each month an account may have and yet not reach the last of the best.
        few = max(0, lowest - 1) // len(months)
        if few:
            return _rows(_BEST.format(where=where), values | {"few": few, "lowest": lowest})
    return _rows(_ALL.format(where=where), values)


def _months(since: datetime | None, until: datetime | None) -> list[datetime]:
    """The months that the range touches and that may have orders."""
    [(first, last)] = _rows("SELECT min(month), max(month) FROM analytics_customermonth", {})
    if first is None:
        return []
    month = first if since is None else max(first, start_of(Granularity.MONTH, since))
    end = (
        next_start(Granularity.MONTH, last)
        if until is None
        else min(next_start(Granularity.MONTH, last), hour_to(until))
    )
    found = []
    while month < end:
        found.append(month)
        month = next_start(Granularity.MONTH, month)
    return found


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
