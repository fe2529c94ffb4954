"""Rules that the database holds by itself, whoever writes."""

import pytest
from django.db import IntegrityError, connection, transaction

from orders.models import Order
from orders.tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "change",
    [
        "orders_order SET status = 6",
        "orders_order SET status = 0",
        "orders_order SET account = ''",
        "orders_order SET brand_id = ''",
        "orders_order SET channel_order_id = ''",
        "orders_order SET customer_name = ''",
        "orders_order SET note = repeat('x', 10001)",
        "orders_order SET version = 0",
        pytest.param(
            "orders_order SET kitchen_id = 'nowhere'",
            marks=pytest.mark.one_server("its machines check deferred constraints at the commit alone"),
        ),
        "orders_orderitem SET quantity = 0",
        "orders_orderitem SET status = 6",
        "orders_orderitem SET name = ''",
        "orders_orderitem SET plu = ''",
        pytest.param(
            "orders_orderitem SET order_id = 'nowhere'",
            marks=pytest.mark.one_server("an order's id can't be changed at all"),
        ),
        "orders_kitchen SET name = ''",
        "orders_kitchen SET target_minutes = 0",
    ],
)
def test_the_database_refuses(change: str) -> None:
    factories.order()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"UPDATE {change}")


@pytest.mark.parametrize("id", ["", "a/b"])
def test_an_order_id_is_one_segment_of_an_address(id: str) -> None:
    order = factories.order()
    fields = {field.attname: getattr(order, field.attname) for field in Order._meta.concrete_fields} | {
        "id": id
    }
    columns = ", ".join(fields)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO orders_order ({columns}) SELECT "
            + ", ".join("%s" if name == "id" else name for name in fields)
            + " FROM orders_order",
            [id],
        )


@pytest.mark.one_server("its machines check deferred constraints at the commit alone")
def test_history_names_an_item_of_its_own_order() -> None:
    order, other = factories.order(None), factories.order(None, None)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            """INSERT INTO orders_statuschange (order_id, sequence, plu, to_status, kind, change, at, recorded_at, actor, reason)
               SELECT %s, 99, 'P1', 2, 1, 2, now(), now(), 'x', ''""",
            [order.id],
        )
    assert other.items.filter(plu="P1").exists()
