"""The answers of the order API, for the API's description. `orders.serializers` makes them; a test checks that both are
the same."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Output(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


OrderStatusName = Literal["RECEIVED", "PREPARING", "READY", "PICKED_UP", "CANCELLED"]
ItemStatusName = Literal["ORDERED", "PREPARING", "READY", "PICKED_UP", "CANCELLED"]
KindName = Literal["transition", "import", "recall"]


class _Entry(Output):
    timestamp: datetime = Field(description="When it happened, UTC.")
    kind: KindName
    actor: str = Field(description="key:NAME, screen:NAME, user:NAME or system")
    change: int = Field(description="All rows of one action share it.")
    sequence: int = Field(description="Counts the rows of one order's history.")
    reason: str


def _absent() -> Any:
    """A field that isn't there for every reader."""
    return None


class OrderHistoryEntry(_Entry):
    """One status that an order has had."""

    status: OrderStatusName
    from_: OrderStatusName | None = Field(alias="from")


class ItemHistoryEntry(_Entry):
    """One status that an item has had."""

    status: ItemStatusName
    from_: ItemStatusName | None = Field(alias="from")


class OrderedCustomer(Output):
    """Who ordered."""

    name: str
    phone_number: str


class OrderedModifier(BaseModel):
    """What is added to an item or, with quantity 0, left out of it."""

    name: str
    quantity: int
    plu: str | None = None
    modifiers: list["OrderedModifier"] = []


class Item(Output):
    """A line of an order. `price` is in minor units of the order's currency."""

    plu: str
    name: str
    quantity: int
    status: ItemStatusName
    status_history: list[ItemHistoryEntry]
    position: int
    note: str
    modifiers: list[OrderedModifier]
    allergens: list[str]
    price: int | None


class Order(Output):
    """A whole order."""

    id: str
    created_at: datetime
    updated_at: datetime
    kitchen: str
    account: str
    brand_id: str
    channel: str
    channel_order_id: str
    channel_order_display_id: str
    customer: OrderedCustomer = Field(default_factory=_absent, description="Only with customers:read.")
    delivery_address: dict[str, Any] | None = Field(
        default_factory=_absent, description="Only with customers:read."
    )
    pickup_time: datetime
    due_at: datetime = Field(description="When it must be ready.")
    note: str
    currency: str
    items: list[Item]
    status: OrderStatusName
    status_history: list[OrderHistoryEntry]
    version: int = Field(description="Counts the order's changes; the ETag is the same number.")


class OrderPage(Output):
    """A page of orders, newest first."""

    results: list[Order]
    next: str | None = Field(description="Where the page of older orders is.")
    previous: str | None = Field(description="Where the page of newer orders is.")


class Event(Output):
    """One row of the change feed. `plu` is null where the order itself changed."""

    cursor: str
    order_id: str
    sequence: int
    plu: str | None
    from_: str | None = Field(alias="from")
    to: str
    kind: KindName
    change: int
    recalls: int | None = Field(description="On a recall: the change that it took back.")
    at: datetime
    recorded_at: datetime
    actor: str
    reason: str


class EventPage(Output):
    """A page of the change feed, oldest first."""

    results: list[Event]
    next: str = Field(description="Send it as `after` to go on; given also when nothing is new.")
    has_more: bool = Field(description="Whether it is worth going on at once.")
