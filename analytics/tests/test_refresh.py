import threading
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics import refresh as refreshing
from analytics import tasks
from analytics.models import HourlyThroughput, Progress
from analytics.refresh import refresh
from analytics.reports import Scope, order_status_durations
from analytics.tests.consistency import assert_equal_to_plain_sql
from analytics.tests.simulated_orders import OpenTransaction
from orders import feed
from orders.services import move_order
from orders.statuses import PREPARING, READY
from orders.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_task_adds_what_is_new_and_may_run_twice() -> None:
    order = factories.order(None)
    assert tasks.refresh() == 2
    assert tasks.refresh() == 0
    move_order(order.id, PREPARING, actor="user:anna")
    assert tasks.refresh() == 2
    assert HourlyThroughput.objects.get(brand="").orders == 1


def test_it_returns_its_time_and_whether_all_was_read() -> None:
    for _ in range(3):
        factories.order(None)
    before = datetime.now(UTC)
    first = refresh(page_size=2, max_pages=1)
    assert (first.changes, first.complete) == (2, False)
    assert before <= first.refreshed_at == Progress.objects.get().refreshed_at
    assert refresh(page_size=2, seconds=0).changes == 2, "it ends with the page in which its time runs out"
    assert (refresh().changes, refresh().complete) == (2, True)


def test_metrics_have_the_age_and_the_lag_of_the_figures() -> None:
    def gauges() -> dict[str, float]:
        lines = Client().get("/metrics").content.decode().splitlines()
        samples = (line.split() for line in lines if line.startswith("huuva_analytics_"))
        return {name.removeprefix("huuva_analytics_"): float(value) for name, value in samples}

    assert gauges() == {"lag_seconds": 0}, "no refresh, and nothing to count"
    factories.order(None)
    with mock.patch("orders.clock.now", return_value=datetime.now(UTC) + timedelta(hours=1)):
        assert gauges() == {"lag_seconds": pytest.approx(3600, abs=30)}
    refresh()
    with mock.patch("orders.clock.now", return_value=datetime.now(UTC) + timedelta(hours=2)):
        assert gauges() == {"age_seconds": pytest.approx(7200, abs=30), "lag_seconds": 0}


def test_a_backlog_is_read_in_large_pages_after_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(10):
        factories.order(None)
    monkeypatch.setattr(refreshing, "PAGE", 2)
    monkeypatch.setattr(refreshing, "BACKLOG_PAGE", 10)
    shown: list[int] = []
    assert refresh(show=shown.append).changes == 20
    assert shown == [2, 12, 20]
    assert_equal_to_plain_sql()


@pytest.mark.one_server("one statement more asks its machines what is prepared")
def test_a_page_takes_eleven_statements_however_many_rows_it_has() -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            refresh()
        return sum(query["sql"].split()[0] not in ("BEGIN", "COMMIT") for query in queries.captured_queries)

    order = factories.order(None)
    # One more: the very first refresh makes the row that holds the cursor.
    assert statements() <= 15
    assert statements() == 5, "lock, cursor, watermark, feed, cursor"
    move_order(order.id, PREPARING, actor="user:anna")
    move_order(order.id, READY, actor="user:anna")
    few = statements()
    for _ in range(20):
        move_order(factories.order().id, PREPARING, actor="user:anna")
    assert few <= 11
    assert statements() == few + 3, "customers are new"


def test_late_commits_are_counted_once_and_those_meanwhile_too() -> None:
    early, late = factories.order(None), factories.order(None)
    refresh()
    slow = OpenTransaction(lambda: move_order(late.id, PREPARING, actor="screen:slow"), at_once=True)
    move_order(early.id, PREPARING, actor="screen:fast")
    assert refresh().changes == 0
    slow.commit()
    assert refresh().changes == 4
    assert {row["count"] for row in order_status_durations(Scope())} == {2}


def test_rows_out_of_sequence_in_the_feed_find_the_rows_before_them() -> None:
    order = factories.order(None)
    refresh()
    slow = OpenTransaction(lambda: move_order(order.id, READY, actor="screen:slow"), at_once=False)
    move_order(order.id, PREPARING, actor="screen:fast")
    slow.commit()
    assert [event.sequence for event in feed.read(feed.read(limit=2).cursor).events] == [5, 6, 3, 4]
    assert refresh(page_size=1).changes == 4
    assert_equal_to_plain_sql()


def test_two_refreshes_at_once_count_everything_once() -> None:
    for _ in range(10):
        factories.order(None)
    changes = []

    def run() -> None:
        try:
            changes.append(refresh(page_size=3).changes)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(changes) == 20
    assert HourlyThroughput.objects.get(brand="").orders == 10
