"""A new order as `services.create_order` takes it, from any channel."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from orders.statuses import RECEIVED

# Characters of an order's or an item's note. A longer one is refused, never cut: its last line may be the allergy.
MAX_NOTE: Final = 10_000


@dataclass(slots=True, frozen=True)
class PastStatus:
    """One entry of the history that a channel sends: stored as it is, without checks."""

    status: int
    at: datetime


@dataclass(slots=True, frozen=True)
class NewItem:
    """`details`: name, quantity, note, modifiers, allergens, price (minor units), as OrderItem names them."""

    plu: str
    details: dict[str, Any]
    status: int | None = None


@dataclass(slots=True, frozen=True)
class NewOrder:
    """`details`: account, brand, channel, customer and so on, as Order names them. Times are aware."""

    id: str
    pickup_time: datetime
    items: list[NewItem]
    details: dict[str, Any]
    status: int = RECEIVED
    created_at: datetime | None = None
    currency: str = ""
    history: list[PastStatus] = field(default_factory=list)
