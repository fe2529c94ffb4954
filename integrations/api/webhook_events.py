"""The messages to webhooks, for the API's description; a test checks real messages against it."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from integrations.api.webhook_outputs import Output

OrderStatusName = Literal["RECEIVED", "PREPARING", "READY", "PICKED_UP", "CANCELLED"]
ItemStatusName = Literal["ORDERED", "PREPARING", "READY", "PICKED_UP", "CANCELLED"]


class EventItem(Output):
    """A line of the order. `note` only with customer data."""

    plu: str
    name: str
    quantity: int
    status: ItemStatusName
    position: int
    modifiers: list[dict[str, Any]]
    allergens: list[str]
    price: int | None
    note: str = ""


class EventOrder(Output):
    """The order: statuses and version as right after the change, all else as it is when sent. The last four
    only with customer data."""

    id: str
    created_at: datetime
    updated_at: datetime
    kitchen: str
    brand_id: str
    channel: str
    channel_order_id: str
    channel_order_display_id: str
    pickup_time: datetime
    due_at: datetime
    currency: str
    status: OrderStatusName
    version: int
    items: list[EventItem]
    account: str | None = None
    customer: dict[str, str] | None = None
    delivery_address: dict[str, Any] | None = None
    note: str | None = None


class EventChange(Output):
    """The row of the history that this event tells of."""

    plu: str | None = Field(description="The item; null: the order itself.")
    from_: str | None = Field(alias="from")
    to: str
    kind: Literal["transition", "import", "recall"]
    change: int
    recalls: int | None = Field(description="On a recall: the change that it took back.")
    at: datetime
    recorded_at: datetime
    actor: str
    reason: str


class EventData(Output):
    order_id: str | None = None
    kitchen: str | None = None
    change: EventChange | None = Field(None, description="Null for order.late, which changes nothing.")
    order: EventOrder | None = Field(description="Null for webhook.test.")


class WebhookEvent(Output):
    """One event. `sequence` counts in the order's history; order.late has that of the row it follows."""

    id: str = Field(description="The same as webhook-id, in every try and replay.")
    type: Literal[
        "order.created",
        "order.status_changed",
        "order.recalled",
        "order.late",
        "item.status_changed",
        "webhook.test",
    ]
    timestamp: datetime = Field(description="When it was recorded.")
    sequence: int
    data: EventData


_ORDER: Final[dict[str, Any]] = {
    "id": "01a21324-d22c-75f7-b1f0-1698a8340ea8",
    "createdAt": "2026-05-01T18:00:00Z",
    "updatedAt": "2026-05-01T18:05:00Z",
    "kitchen": "main",
    "brandId": "60bfc6dc4887c9851d5a0245",
    "channel": "wolt",
    "channelOrderId": "TEST1626898082",
    "channelOrderDisplayId": "82",
    "pickupTime": "2026-05-01T18:30:00Z",
    "dueAt": "2026-05-01T18:30:00Z",
    "currency": "EUR",
    "status": "PREPARING",
    "version": 2,
    "items": [
        {
            "plu": "CAT1-0001",
            "name": "Hawaii Burger",
            "quantity": 1,
            "status": "PREPARING",
            "position": 0,
            "modifiers": [],
            "allergens": ["milk"],
            "price": 1290,
        }
    ],
}
_CHANGE: Final[dict[str, Any]] = {
    "plu": None,
    "from": "RECEIVED",
    "to": "PREPARING",
    "kind": "transition",
    "change": 2,
    "recalls": None,
    "at": "2026-05-01T18:05:00Z",
    "recordedAt": "2026-05-01T18:05:00Z",
    "actor": "screen:grill-1",
    "reason": "",
}


def _event(type: str, sequence: int, change: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": "msg_Zq0J8v3nX1r5uT9wYbC2eFgHiJk",
        "type": type,
        "timestamp": "2026-05-01T18:05:00Z",
        "sequence": sequence,
        "data": {"orderId": _ORDER["id"], "kitchen": "main", "change": change, "order": _ORDER},
    }


EVENT_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "An order moves": _event("order.status_changed", 3, _CHANGE),
    "An item moves": _event(
        "item.status_changed", 4, {**_CHANGE, "plu": "CAT1-0001", "from": "ORDERED", "to": "PREPARING"}
    ),
    "An order is late": _event("order.late", 4, None),
}
