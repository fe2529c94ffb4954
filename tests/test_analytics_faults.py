"""Figures survive what happens to those that make them: a real worker killed in the middle, beat away, Valkey emptied."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

from huuva.parts import commands
from tests.live_stack import LiveStack

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 60
# Half a day of orders that no refresh has seen, as beat finds them after a long absence.
BACKLOG = """
from datetime import UTC, datetime
from huuva.simulation.filling import fill
from huuva.simulation.past import Past
from orders.models import Kitchen
kitchen, _ = Kitchen.objects.get_or_create(slug="main", defaults={"name": "Main"})
print(fill([Past(kitchen, 1, 250, 7, datetime.now(UTC))], lambda orders, rows: None)[1])
"""
SEND = "import huuva.celery\nfrom analytics.tasks import refresh\nrefresh.delay()"
EMPTY = """
from django.core.cache import cache
from huuva.celery import app
cache.clear()
with app.connection() as connection:
    connection.default_channel.client.flushdb()
"""
COMPARE = (
    "from analytics.tests.books import assert_equal_to_plain_sql\nassert_equal_to_plain_sql()\nprint('equal')"
)
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
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not in {SECONDS} s"
        time.sleep(0.02)


class Worker:
    """A worker of the stack in a process group of its own."""

    def __init__(self, stack: LiveStack) -> None:
        with stack.log.open("ab") as log:
            self.process = subprocess.Popen(
                commands(stack.home, "127.0.0.1", stack.port, 1)["worker"],
                cwd=ROOT,
                env=stack.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Ends it and its children without a word, as a machine that loses power does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@pytest.fixture
def database(live_stack: LiveStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(live_stack.database_url, autocommit=True) as connection:
        yield connection


def test_a_worker_killed_in_the_middle_leaves_nothing_half_and_the_next_refresh_makes_it_whole(
    live_stack: LiveStack, database: psycopg.Connection
) -> None:
    before = database.execute(FIGURES).fetchone()
    rows = int(shell(live_stack, f"{BACKLOG}\n{SEND}"))
    assert rows > 2000, "more than a page"
    with psycopg.connect(live_stack.database_url) as holder:
        # The last of the tables that a page writes: the worker gets that far, and no further.
        holder.execute("LOCK TABLE analytics_customerhour IN SHARE ROW EXCLUSIVE MODE")
        worker = Worker(live_stack)
        try:
            wait_for(lambda: database.execute(STUCK).fetchone() == (1,), "the worker is in the middle")
        finally:
            worker.kill()
    wait_for(lambda: database.execute(STUCK).fetchone() == (0,), "its connection is gone")
    assert database.execute(FIGURES).fetchone() == before, "a page counts as a whole or not at all"
    # The task that died with it is gone for good, with everything else that Valkey knew.
    shell(live_stack, f"{EMPTY}\n{SEND}")
    worker = Worker(live_stack)
    try:
        wait_for(lambda: lag(live_stack) == 0, "the next refresh has read everything")
    finally:
        worker.kill()
    assert database.execute(FIGURES).fetchone() != before
    assert shell(live_stack, COMPARE) == "equal"


def lag(stack: LiveStack) -> float:
    return gauge(stack, "huuva_analytics_lag_seconds")


def gauge(stack: LiveStack, name: str) -> float:
    with urlopen(f"{stack.base_url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def test_an_hour_without_beat_is_told_and_then_made_up_for(
    live_stack: LiveStack, database: psycopg.Connection
) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    database.execute(
        "INSERT INTO huuva_heartbeat VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at",
        [hour_ago],
    )
    database.execute("UPDATE analytics_progress SET refreshed_at = %s", [hour_ago])
    shell(live_stack, BACKLOG)
    assert gauge(live_stack, "huuva_beat_age_seconds") >= 3600
    assert gauge(live_stack, "huuva_analytics_age_seconds") >= 3600
    assert lag(live_stack) > 0
    shell(live_stack, f"{EMPTY}\n{SEND}")
    assert gauge(live_stack, "huuva_beat_age_seconds") >= 3600, "an emptied Valkey hides nothing"
    worker = Worker(live_stack)
    try:
        wait_for(lambda: lag(live_stack) == 0, "the next refresh has read everything")
    finally:
        worker.kill()
    assert gauge(live_stack, "huuva_analytics_age_seconds") < SECONDS
    assert shell(live_stack, COMPARE) == "equal"
