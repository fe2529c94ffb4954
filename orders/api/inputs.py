"""The bodies that the order API accepts, with their limits."""

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.bodies import WHOLE_NUMBER, Body, Time, text_like
from orders.ids import (
    MAX_LENGTH,
    PLU_OUT_OF_ADDRESS,
    belongs_to_channels,
    can_be_in_address,
    new_order_id,
)
from orders.new import MAX_NOTE, NewItem, NewOrder, PastStatus
from orders.statuses import ITEM_NAMES, ORDER_NAMES

MAX_ITEMS = 200
MAX_NESTING = 8
# How much of a value an error repeats.
MAX_SHOWN = 64


class NotSent:
    """Stands for the status of a PATCH in which nothing was sent."""


def _reader(names: dict[int, str]) -> BeforeValidator:
    numbers = {name: number for number, name in names.items()}
    ways = ", ".join(f"{number} or {name}" for number, name in names.items())

    def read(value: Any) -> int:
        """A status by number (3.0 is 3) or name. `True` is not accepted, although it is an int."""
        if type(value) in (int, float) and value in names:
            return int(value)
        if isinstance(value, str) and value in numbers:
            return numbers[value]
        if value is NotSent:
            raise PydanticCustomError(
                "required",
                "Nothing is to be changed: send a status ({ways}), or what is amended.",
                {"ways": ways},
            )
        raise PydanticCustomError("status", "Send a status: {ways}.", {"ways": ways})

    return BeforeValidator(read)


def status_schema(names: dict[int, str]) -> dict[str, Any]:
    """JSON Schema of a status, by number or name."""
    number = {"type": "integer", "minimum": min(names), "maximum": max(names)}
    return {"oneOf": [number, {"type": "string", "enum": list(names.values())}]}


OrderStatusIn = Annotated[int, _reader(ORDER_NAMES), WithJsonSchema(status_schema(ORDER_NAMES))]
ItemStatusIn = Annotated[int, _reader(ITEM_NAMES), WithJsonSchema(status_schema(ITEM_NAMES))]

Text = Annotated[str, StringConstraints(max_length=500)]
Name = Annotated[str, text_like(r"\S", "Send a text that is not blank.", longest=500)]
Key = Annotated[
    str,
    text_like(
        r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
        "Send a text that is not blank and holds no control characters.",
        longest=128,
    ),
]


def _plu(value: str) -> str:
    if not can_be_in_address(value):
        raise PydanticCustomError("reserved", PLU_OUT_OF_ADDRESS)
    return value


Plu = Annotated[Key, AfterValidator(_plu), Field(json_schema_extra={"not": {"enum": [".", ".."]}})]
Note = Annotated[str, StringConstraints(max_length=MAX_NOTE)]
Quantity = Annotated[int, Field(ge=1, le=9999), WHOLE_NUMBER]


def _order_id(value: str) -> str:
    if not can_be_in_address(value) or value == "events":
        raise PydanticCustomError("reserved", "This id can't stand in an address; send another one.")
    if belongs_to_channels(value):
        raise PydanticCustomError(
            "reserved",
            "Ids that begin so are those of a channel's orders. Send one without the colon, such as {example}.",
            {"example": value.replace(":", "-", 1)[:MAX_SHOWN]},
        )
    return value


OrderId = Annotated[
    str,
    text_like(
        r"^[^\x00-\x20/\x7f](?:[^\x00-\x1f/\x7f]*[^\x00-\x20/\x7f])?$",
        "Send an id without slashes, control characters, or spaces around it: it stands in an address.",
        longest=MAX_LENGTH,
    ),
    AfterValidator(_order_id),
]


class Customer(Body):
    name: Name
    phone_number: Annotated[str, StringConstraints(max_length=64)] | None


class Address(Body):
    city: Text | None = None
    street: Text | None = None
    postal_code: Text | None = None


class PastStatusIn(Body):
    status: OrderStatusIn
    timestamp: Time


class Modifier(Body):
    """What is added to an item or, with quantity 0 or `removed`, left out of it; modifiers may have modifiers."""

    name: Name
    quantity: Annotated[int, Field(ge=0, le=9999), WHOLE_NUMBER] = 1
    removed: bool | None = Field(None, description="The same as the quantity 0.")
    plu: Key | None = None
    modifiers: Annotated[list["Modifier"], Field(max_length=100)] = []

    def plain(self) -> dict[str, Any]:
        data: dict[str, Any] = {"name": self.name, "quantity": 0 if self.removed else self.quantity}
        if self.plu is not None:
            data["plu"] = self.plu
        if self.modifiers:
            data["modifiers"] = [part.plain() for part in self.modifiers]
        return data

    def depth(self) -> int:
        return 1 + max((part.depth() for part in self.modifiers), default=0)


class ItemIn(Body):
    """A line of a new order. `price` is in minor units (cents) of the order's currency."""

    plu: Plu
    name: Name
    quantity: Quantity
    status: ItemStatusIn | None = None
    note: Note | None = None
    modifiers: Annotated[list[Modifier], Field(max_length=100)] | None = None
    allergens: (
        Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=100)]], Field(max_length=50)]
        | None
    ) = None
    price: Annotated[int, Field(ge=-(10**9), le=10**9), WHOLE_NUMBER] | None = None

    @model_validator(mode="after")
    def _shallow(self) -> Self:
        if any(modifier.depth() > MAX_NESTING for modifier in self.modifiers or ()):
            raise PydanticCustomError(
                "nesting", "Modifiers are nested deeper than {limit} levels.", {"limit": MAX_NESTING}
            )
        return self

    def new(self) -> NewItem:
        details = {
            "name": self.name,
            "quantity": self.quantity,
            "note": self.note or "",
            "modifiers": [modifier.plain() for modifier in self.modifiers or ()],
            "allergens": self.allergens or [],
            "price": self.price,
        }
        return NewItem(self.plu, details, self.status)


class OrderIn(Body):
    """A new order, as delivery channels send it. Fields that are not listed are ignored."""

    id: OrderId | None = Field(
        None,
        validation_alias=AliasChoices("_id", "id"),
        description="Made by us if left out. `_id` is understood too. Ids that begin with a channel link's slug and a "
        "colon are channels'.",
    )
    created: Time | None = None
    account: Key
    brand_id: Key
    channel_order_id: Key
    channel_order_display_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    channel: Annotated[str, StringConstraints(max_length=64)] | None = None
    customer: Customer
    delivery_address: Address | None = None
    pickup_time: Time
    items: Annotated[list[ItemIn], Field(min_length=1, max_length=MAX_ITEMS)]
    status: OrderStatusIn = 1
    status_history: Annotated[list[PastStatusIn], Field(max_length=500)] | None = None
    kitchen: Annotated[str, StringConstraints(min_length=1, max_length=50)] | None = None
    currency: (
        Annotated[str, text_like(r"^[A-Z]{3}$", "Send three capital letters, such as EUR.", longest=3)] | None
    ) = None
    note: Note | None = None

    @model_validator(mode="after")
    def _plus_differ(self) -> Self:
        seen: set[str] = set()
        for place, item in enumerate(self.items):
            if item.plu in seen:
                raise PydanticCustomError(
                    "duplicate_plu",
                    "The PLU {plu} stands in two items; send one item with the sum of their quantities.",
                    {"plu": item.plu, "at": ["items", place, "plu"]},
                )
            seen.add(item.plu)
        return self

    def new(self) -> NewOrder:
        address = self.delivery_address
        return NewOrder(
            id=self.id or new_order_id(),
            pickup_time=self.pickup_time,
            items=[item.new() for item in self.items],
            details={
                "account": self.account,
                "brand_id": self.brand_id,
                "channel": self.channel or "",
                "channel_order_id": self.channel_order_id,
                "channel_display_id": self.channel_order_display_id or "",
                "customer_name": self.customer.name,
                "customer_phone": self.customer.phone_number or "",
                "delivery_address": address and address.model_dump(by_alias=True, exclude_none=True),
                "note": self.note or "",
            },
            status=self.status,
            created_at=self.created,
            currency=self.currency or "",
            history=[PastStatus(past.status, past.timestamp) for past in self.status_history or ()],
        )
