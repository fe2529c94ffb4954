"""Orders for tests, built through the services, so that test data obeys the rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

from orders.ids import new_order_id
from orders.models import Kitchen, Order
from orders.new import NewItem, NewOrder, PastStatus
from orders.services import create_order
from tests import planted


def kitchen(slug: str = "main", **fields: Any) -> Kitchen:
    return Kitchen.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **fields})[0]


def new_order(
    *statuses: int | None,
    status: int = 1,
    history: list[tuple[int, datetime]] | None = None,
    id: str | None = None,
    pickup_in: timedelta = timedelta(minutes=20),
    **details: Any,
) -> NewOrder:
    """A new order with an item for each status given (None: none of its own); three items by default."""
    lines = statuses or (None, None, None)
    return NewOrder(
        id=id or new_order_id(),
        pickup_time=datetime.now(UTC) + pickup_in,
        items=[
            NewItem(f"P{n}", {"name": f"Dish {n}", "quantity": 1}, status) for n, status in enumerate(lines)
        ],
        details={
            "account": "acc-1",
            "brand_id": "burgers",
            "channel_order_id": "TEST-1",
            "customer_name": planted.NAME,
            "customer_phone": planted.PHONE,
            **details,
        },
        status=status,
        history=[PastStatus(past, at) for past, at in history or []],
    )


def order(*statuses: int | None, of: Kitchen | None = None, **fields: Any) -> Order:
    return create_order(new_order(*statuses, **fields), kitchen=of or kitchen(), actor="key:test")
