import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, transaction

from orders import feed
from orders.services import move_order
from orders.statuses import PREPARING
from orders.tests import factories


def read_all(limit: int, kitchen: str | None = None) -> list[tuple[str, int]]:
    found, cursor = [], None
    while True:
        page = feed.read(cursor, limit=limit, kitchen=kitchen)
        found += [(event.order_id, event.sequence) for event in page.events]
        cursor = page.cursor
        if not page.more:
            return found


@pytest.mark.django_db(transaction=True)
class TestFeed:
    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_pages_of_any_size_give_every_row_once(self, limit: int) -> None:
        orders = [factories.order() for _ in range(3)]
        move_order(orders[0].id, PREPARING, actor="user:anna")
        found = read_all(limit)
        assert len(found) == len(set(found)) == 16
        assert [row for row in found if row[0] == orders[0].id] == [(orders[0].id, n) for n in range(1, 9)]

    def test_a_transaction_that_commits_late_is_read_exactly_once(self) -> None:
        kitchen = factories.kitchen()
        early, late = factories.order(None), factories.order(None)
        read = feed.read()
        late_has_written, let_late_commit = threading.Event(), threading.Event()

        def write_slowly() -> None:
            with transaction.atomic():
                move_order(late.id, PREPARING, actor="screen:slow")
                late_has_written.set()
                let_late_commit.wait(10)

        thread = in_thread(write_slowly)
        assert late_has_written.wait(10)
        # This one begins later and commits first.
        move_order(early.id, PREPARING, actor="screen:fast")
        new = factories.order(None, of=kitchen)
        stalled = feed.read(read.cursor)
        assert stalled.events == [], "what a late transaction could precede is not read yet"
        assert feed.lag_seconds() > 0
        let_late_commit.set()
        thread.join()
        after = feed.read(read.cursor)
        assert [(event.order_id, event.actor) for event in after.events] == [
            *[(late.id, "screen:slow")] * 2,
            *[(early.id, "screen:fast")] * 2,
            *[(new.id, "key:test")] * 2,
        ]
        assert feed.read(after.cursor).events == []
        # The server's own housekeeping may be at work, and hold it up for a moment.
        deadline = time.monotonic() + 10
        while feed.lag_seconds() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert feed.lag_seconds() == 0

    def test_a_transaction_that_is_rolled_back_leaves_no_trace(self) -> None:
        order = factories.order()
        read = feed.read()
        with pytest.raises(RuntimeError), transaction.atomic():
            move_order(order.id, PREPARING, actor="user:anna")
            raise RuntimeError
        assert feed.read(read.cursor).events == []

    def test_a_kitchens_feed_holds_its_orders_only(self) -> None:
        factories.order()
        harju = factories.order(None, of=factories.kitchen("harju"))
        assert read_all(1, kitchen="harju") == [(harju.id, 1), (harju.id, 2)]

    def test_a_kitchen_where_nothing_happens_still_moves_on(self) -> None:
        factories.kitchen("harju")
        factories.order()
        page = feed.read(kitchen="harju")
        assert page.events == []
        assert page.cursor.tx > 0
        harju = factories.order(None, of=factories.kitchen("harju"))
        assert [event.order_id for event in feed.read(page.cursor, kitchen="harju").events] == [harju.id] * 2

    def test_a_cursor_never_lies_beyond_what_is_stored(self) -> None:
        """Ids that no row carries may be given anew after a crash; a reader must not be beyond them."""
        factories.kitchen("harju")
        order = factories.order()
        for _ in range(3):
            with pytest.raises(RuntimeError), transaction.atomic():
                move_order(order.id, PREPARING, actor="user:anna")
                raise RuntimeError
        page = feed.read()
        assert page.cursor == feed.Cursor.of(page.events[-1])
        again = feed.read(page.cursor)
        assert (again.events, again.cursor, again.more) == ([], page.cursor, False)
        assert feed.read(kitchen="harju").cursor == page.cursor
        assert feed.read(page.cursor, kitchen="harju").cursor == page.cursor

    def test_after_a_restore_elsewhere_the_offset_makes_rows_readable(self) -> None:
        old = factories.order()
        # As after pg_restore: the stored ids lie ahead of those that this server gives.
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE orders_statuschange DISABLE TRIGGER history_is_append_only")
            cursor.execute("UPDATE orders_statuschange SET tx = '9000000000'")
            cursor.execute("ALTER TABLE orders_statuschange ENABLE TRIGGER history_is_append_only")
        assert feed.read().events == []
        assert [error.id for error in run_checks(tags=["database"], databases=["default"])] == ["orders.E001"]
        try:
            call_command("raise_feed_offset")
            assert run_checks(tags=["database"], databases=["default"]) == []
            new = factories.order(None)
            assert [event.order_id for event in feed.read().events] == [old.id] * 4 + [new.id] * 2
            offset = feed.raise_offset()
            assert feed.raise_offset() == offset
        finally:
            with connection.cursor() as cursor:
                cursor.execute(
                    "ALTER TABLE orders_statuschange ALTER COLUMN tx SET DEFAULT pg_current_xact_id()"
                )


@pytest.mark.django_db
def test_a_pooler_that_swallows_our_timeouts_is_noticed_at_the_start() -> None:
    assert run_checks(tags=["database"], databases=["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")

    (warning,) = run_checks(tags=["database"], databases=["default"])
    assert (warning.id, "ALTER ROLE" in str(warning.hint)) == ("orders.W002", True)


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "text", ["", "x", "....", "LTEuMS54", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OS4xLng", "é", "MS5hLng", "MS4yLngA"]
)
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(feed.BadCursor):
        feed.Cursor.parse(text)


def test_a_cursor_survives_its_text() -> None:
    cursor = feed.Cursor(12, "order with . and ä", 7)
    assert feed.Cursor.parse(str(cursor)) == cursor
