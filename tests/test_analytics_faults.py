"""Figures survive what happens to those that make them: a real worker killed in the middle, beat away, Valkey emptied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.background import kill_group, wait_until
from tests.live_stack import LiveStack

SECONDS = 60
# Half a day of orders that no refresh has seen, as beat finds them after a long absence.
BACKLOG = """
from datetime import UTC, datetime
from huuva.ops.simulation.filling import fill
from huuva.ops.simulation.past import Past
from orders.tests.factories import kitchen
print(fill([Past(kitchen(), 1, 250, 7, datetime.now(UTC))], lambda orders, rows: None)[1])
"""
SEND = "import huuva.celery\nfrom analytics.tasks import refresh\nrefresh.delay()"
EMPTY = """
from django.core.cache import cache
from huuva.celery import app
cache.clear()
with app.connection() as connection:
    connection.default_channel.client.flushdb()
"""
COMPARE = "from analytics.tests.consistency import assert_equal_to_plain_sql\nassert_equal_to_plain_sql()\nprint('equal')"
FIGURES = """
    SELECT (SELECT cursor FROM analytics_progress), (SELECT coalesce(sum(orders), 0) FROM analytics_hourlythroughput WHERE brand = ''),
           (SELECT coalesce(sum(count), 0) FROM analytics_itemduration)
"""
STUCK = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
      AND query LIKE '%INSERT INTO analytics_customerhour%'
"""


def shell(stack: LiveStack, code: str) -> str:
    return stack.manage("shell", "--no-imports", "--command", code).strip()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, SECONDS, what)


@pytest.fixture
def database(live_stack: LiveStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(live_stack.database_url, autocommit=True) as connection:
        yield connection


def test_a_killed_worker_leaves_nothing_half_the_next_refresh_completes(
    live_stack: LiveStack, database: psycopg.Connection
) -> None:
    before = database.execute(FIGURES).fetchone()
    rows = int(shell(live_stack, f"{BACKLOG}\n{SEND}"))
    assert rows > 2000, "more than a page"
    with psycopg.connect(live_stack.database_url) as holder:
        # The last of the tables that a page writes: the worker gets that far, and no further.
        holder.execute("LOCK TABLE analytics_customerhour IN SHARE ROW EXCLUSIVE MODE")
        worker = live_stack.part("worker")
        try:
            wait_for(lambda: database.execute(STUCK).fetchone() == (1,), "the worker is in the middle")
        finally:
            kill_group(worker)
    wait_for(lambda: database.execute(STUCK).fetchone() == (0,), "its connection is gone")
    assert database.execute(FIGURES).fetchone() == before, "a page counts as a whole or not at all"
    # The task that died with it is gone for good, with everything else that Valkey knew.
    shell(live_stack, f"{EMPTY}\n{SEND}")
    worker = live_stack.part("worker")
    try:
        wait_for(lambda: lag(live_stack) == 0, "the next refresh has read everything")
    finally:
        kill_group(worker)
    assert database.execute(FIGURES).fetchone() != before
    assert shell(live_stack, COMPARE) == "equal"


def lag(stack: LiveStack) -> float:
    return stack.metric("huuva_analytics_lag_seconds")


def test_an_hour_without_beat_is_reported_and_then_caught_up(
    live_stack: LiveStack, database: psycopg.Connection
) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    database.execute(
        "INSERT INTO huuva_heartbeat VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at",
        [hour_ago],
    )
    database.execute("UPDATE analytics_progress SET refreshed_at = %s", [hour_ago])
    shell(live_stack, BACKLOG)
    assert live_stack.metric("huuva_beat_age_seconds") >= 3600
    assert live_stack.metric("huuva_analytics_age_seconds") >= 3600
    assert lag(live_stack) > 0
    shell(live_stack, f"{EMPTY}\n{SEND}")
    assert live_stack.metric("huuva_beat_age_seconds") >= 3600, "an emptied Valkey hides nothing"
    worker = live_stack.part("worker")
    try:
        wait_for(lambda: lag(live_stack) == 0, "the next refresh has read everything")
    finally:
        kill_group(worker)
    assert live_stack.metric("huuva_analytics_age_seconds") < SECONDS
    assert shell(live_stack, COMPARE) == "equal"
