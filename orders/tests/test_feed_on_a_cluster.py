"""What is prepared and not committed yet: a two-phase commit ends on the coordinator before its rows can be seen.

One PostgreSQL server stands in for a cluster: rows that carry the id of a transaction which has ended, in a prepared
transaction, are what a worker looks like from its coordinator in that moment.
"""

from collections.abc import Iterator

import pytest
from django.db import connection

from orders import cluster as citus
from orders import feed, watermark
from orders.services import move_order
from orders.statuses import PREPARING
from orders.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
GID = "citus_0_4711_12_3"
# What Citus brings, as far as the feed asks for it. This one machine answers for all, unless it is told not to.
STAND_INS = """
    CREATE TABLE pg_dist_node (answers bool);
    INSERT INTO pg_dist_node VALUES (true);
    CREATE FUNCTION run_command_on_all_nodes(command text, OUT nodeid int, OUT success bool, OUT result text)
    RETURNS SETOF record LANGUAGE plpgsql AS $$
    BEGIN
        nodeid := 1;
        SELECT answers INTO success FROM pg_dist_node;
        EXECUTE command INTO result;
        RETURN NEXT;
    END $$;
"""
NO_STAND_INS = "DROP TABLE pg_dist_node; DROP FUNCTION run_command_on_all_nodes"


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(autouse=True)
def prepared_transactions(transactional_db: None) -> Iterator[None]:
    """None is left behind: it would hold up every reader of this server for good."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_prepared_transactions')::int, to_regproc('citus_version')"
        )
        most, citus = cursor.fetchone()
    if not most:
        pytest.skip("this server has max_prepared_transactions = 0")
    if citus:
        pytest.skip("Citus prepares transactions by itself, and lets nobody else do so here")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")
        for (gid,) in cursor.fetchall():
            cursor.execute(f"ROLLBACK PREPARED '{gid}'")


@pytest.fixture
def cluster(prepared_transactions: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(citus, "PATIENCE_SECONDS", 0.0)
    run(STAND_INS)
    yield
    run(NO_STAND_INS)


def prepare_late_row(order_id: str) -> None:
    """A worker's row of a transaction that has ended on the coordinator and waits here for its COMMIT PREPARED."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        (ended,) = cursor.fetchone()
    run(
        "BEGIN",
        f"""INSERT INTO orders_statuschange
                (order_id, sequence, tx, to_status, from_status, kind, change, at, recorded_at, actor, reason)
            VALUES ('{order_id}', 99, '{ended}', 2, 1, 1, 2, now(), now(), 'screen:late', '')""",
        f"PREPARE TRANSACTION '{GID}'",
    )


def actors(page: feed.Page) -> list[str]:
    return [event.actor for event in page.events]


def test_a_prepared_transaction_holds_up_the_feed_of_its_own_server() -> None:
    order = factories.order(None)
    read = feed.read()
    run(
        "BEGIN",
        f"UPDATE orders_order SET note = 'x' WHERE id = '{order.id}'",
        f"PREPARE TRANSACTION '{GID}'",
    )
    factories.order(None)
    assert feed.read(read.cursor).events == []

    run(f"COMMIT PREPARED '{GID}'")
    assert len(feed.read(read.cursor).events) == 2


def test_on_a_cluster_rows_that_are_prepared_on_a_worker_are_waited_for(cluster: None) -> None:
    order, other = factories.order(None), factories.order(None)
    read = feed.read()
    prepare_late_row(order.id)
    move_order(other.id, PREPARING, actor="screen:early")

    stalled = feed.read(read.cursor)
    assert (stalled.events, stalled.cursor, stalled.more) == ([], read.cursor, False)
    assert feed.end() == feed.Cursor(), "nobody may begin behind what can still appear"

    run(f"COMMIT PREPARED '{GID}'")
    after = feed.read(read.cursor)
    assert actors(after)[0] == "screen:late"
    assert set(actors(after)) == {"screen:late", "screen:early"}
    assert feed.read(after.cursor).events == []


def test_without_waiting_the_row_would_have_been_skipped(
    cluster: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the stand-in is a true one."""
    monkeypatch.setattr(citus, "is_settled", lambda: True)
    order = factories.order(None)
    read = feed.read()
    prepare_late_row(order.id)
    passed = feed.end()

    run(f"COMMIT PREPARED '{GID}'")
    assert actors(feed.read(read.cursor)) == ["screen:late"]
    assert feed.read(passed).events == [], "a reader that had come so far would never get it"


def test_what_is_prepared_later_is_not_waited_for(cluster: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citus, "PATIENCE_SECONDS", 60.0)
    looks = iter([{(1, "one"), (2, "two")}, {(2, "two"), (1, "three")}, {(1, "four")}])
    monkeypatch.setattr(citus, "_prepared", lambda: next(looks))

    assert watermark.read_watermark().tx is not None
    assert list(looks) == []


def test_a_machine_that_does_not_answer_holds_up_the_feed(cluster: None) -> None:
    factories.order(None)
    run("UPDATE pg_dist_node SET answers = false")
    assert feed.read().events == []

    run("UPDATE pg_dist_node SET answers = true")
    assert len(feed.read().events) == 2


def test_transactions_that_others_prepared_are_not_waited_for(cluster: None) -> None:
    """Those of this server hold the watermark by themselves; those of a worker's other databases hold nothing."""
    order = factories.order(None)
    run(
        "BEGIN",
        f"UPDATE orders_order SET note = 'x' WHERE id = '{order.id}'",
        "PREPARE TRANSACTION 'somebody_else'",
    )
    assert watermark.read_watermark().tx is not None
