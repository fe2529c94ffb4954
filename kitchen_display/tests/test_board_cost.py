"""A board costs what is open: a fixed number of statements, and nothing for what was sold before."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kitchen_display import reads, recallables
from kitchen_display.board import read_board
from kitchen_display.configuration import forget_kitchen_configs
from kitchen_display.tests import factories as make
from orders import clock
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, READY

pytestmark = pytest.mark.django_db
PATH = "/display/board"


HALF_HOUR = timedelta(minutes=30)


def fill(cursor, model):
    """10^5 orders like `model`, picked up a month ago."""
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = 'orders_order'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    columns = cursor.fetchone()[0]
    values = {
        "id": "'old-' || n",
        "status": str(PICKED_UP),
        "updated_at": "updated_at - interval '30 days'",
        "changed_at": "changed_at - interval '30 days'",
    }
    chosen = ",".join(values.get(column, column) for column in columns.split(","))
    cursor.execute(
        f"INSERT INTO orders_order ({columns}) "
        f"SELECT {chosen} FROM orders_order, generate_series(1, 100000) n WHERE id = %s",
        [model],
    )
    cursor.execute("ANALYZE orders_order")


def statements(client):
    with CaptureQueriesContext(connection) as asked:
        assert client.get(PATH, headers=make.SCRIPT).status_code == 200
    return [query["sql"] for query in asked.captured_queries]


@pytest.mark.parametrize("tickets", [1, 40])
def test_five_statements_whatever_the_number_of_tickets(tickets, monkeypatch):
    monkeypatch.setattr(
        "kitchen_display.configuration.monotonic", lambda: 0.0
    )  # else the cache may expire meanwhile
    make.station("grill", "GR")
    client = make.paired(make.screen())
    for n in range(tickets):
        make.order("GR1", "SU1", "COLA", due_in=n + 1)
    cancelled = make.order("GR1")
    move_order(cancelled.id, CANCELLED, actor="key:test")
    client.get(PATH, headers=make.SCRIPT)  # assigns the numbers
    forget_kitchen_configs()
    asked = statements(client)
    assert len(asked) == 5, asked
    assert len(statements(client)) == 4  # brands and stations are cached


def test_no_board_without_orders_asks_more():
    client = make.paired(make.screen())
    assert len(statements(client)) <= 5


@pytest.mark.one_server("it plans for each machine")
def test_old_orders_cost_nothing():
    """10^5 ended orders beside 20 open ones: read by the index of open orders, touching none of the others."""
    screen = make.screen()
    for n in range(20):
        make.order("A", "B", due_in=n + 1)
    model = make.order("A")
    with connection.cursor() as cursor:
        fill(cursor, model.id)
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {reads._OPEN} ORDER BY due_at, id", ["main"])
        plan = cursor.fetchone()[0][0]["Plan"]
    text = str(plan)
    assert "order_open_due" in text and "Seq Scan" not in text
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 100
    assert len(read_board(screen, clock.now()).tickets) == 21


@pytest.mark.one_server("it plans for each machine")
def test_the_recall_list_costs_what_was_touched_lately():
    screen = make.screen()
    for n in range(5):
        done = make.order("A", due_in=n + 1)
        move_item(done.id, "A", READY, actor="screen:Expo")
    with connection.cursor() as cursor:
        fill(cursor, done.id)
        cursor.execute(
            "EXPLAIN (FORMAT TEXT) " + recallables._SQL,
            ["main", clock.now() - HALF_HOUR, clock.now() - HALF_HOUR],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on orders_order o" not in plan, plan
    with CaptureQueriesContext(connection) as asked:
        assert len(recallables.recall_list(screen, clock.now())) == 5
    assert len(asked) <= 3
