from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from orders.recall import recall
from orders.services import move_item, move_order
from orders.signals import order_changed
from orders.statuses import PREPARING, READY
from orders.tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Iterator[list[tuple[int, int, list[str | None]]]]:
    found: list[tuple[int, int, list[str | None]]] = []

    def listen(order: Any, change: Any, **kwargs: Any) -> None:
        assert connection.in_atomic_block
        found.append((order.version, len(order.loaded_items), [row.plu for row in change.rows]))

    order_changed.connect(listen)
    yield found
    order_changed.disconnect(listen)


def test_every_change_is_told_once_with_its_rows(heard: list[Any]) -> None:
    order = factories.order(None, None)
    move_item(order.id, "P1", PREPARING, actor="user:anna")
    move_order(order.id, PREPARING, actor="user:anna")
    move_order(order.id, READY, actor="user:anna")
    recall(order.id, actor="user:anna")
    assert heard == [
        (1, 2, [None, "P0", "P1"]),
        (2, 2, ["P1", None]),
        (3, 2, [None, "P0", "P1"]),
        (4, 2, [None, "P0", "P1"]),
    ]
