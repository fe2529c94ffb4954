"""The bodies that Deliverect sends, as far as they are read."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from integrations.adapters.fields import (
    MAX_PLU,
    Amount,
    Cutter,
    Digits,
    Id,
    Location,
    Loose,
    ModifierQuantity,
    Note,
    Quantity,
    Removed,
    Text,
    Time,
    clean,
    one_line,
)
from orders.ids import PLU_OUT_OF_ADDRESS, can_be_in_address

MAX_DEPTH: Final = 8


class Customer(Loose):
    name: Text = ""
    company_name: Text = ""
    phone_number: Text = ""
    note: Note = ""


class DeliveryAddress(Loose):
    street: Text = ""
    street_number: Text = ""
    postal_code: Text = ""
    city: Text = ""
    extra_address_info: Text = ""

    def plain(self, cutter: Cutter) -> dict[str, str] | None:
        """As our orders hold it; None where the channel sent {}."""
        street = " ".join(part for part in (self.street, self.street_number, self.extra_address_info) if part)
        address = {"city": self.city, "street": street, "postalCode": self.postal_code}
        return {
            name: cutter.line(text, 500, "deliveryAddress", name)
            for name, text in address.items()
            if text.strip()
        } or None


class Line(Loose):
    """An item, or one below it."""

    plu: Text = ""
    name: Text = ""
    remark: Note = ""
    item_remark: Note = ""
    sub_items: Annotated[list["SubItem"], Field(max_length=100)] | None = None

    def modifiers(self, cutter: Cutter, place: tuple[str | int, ...], depth: int = 1) -> list[dict[str, Any]]:
        """The items below it as modifiers. Levels deeper than MAX_DEPTH are put on that level."""
        modifiers: list[dict[str, Any]] = []
        for number, part in enumerate(self.sub_items or ()):
            at = (*place, "subItems", number)
            modifier: dict[str, Any] = {
                "name": cutter.line(part.name, 500, *at, "name")
                or cutter.line(part.plu, 500, *at, "plu")
                or "?",
                "quantity": 0 if part.removed else part.quantity,
            }
            if part.plu.strip():
                modifier["plu"] = cutter.line(part.plu, 128, *at, "plu")
            below = part.modifiers(cutter, at, depth + 1)
            modifiers.append(modifier)
            if depth >= MAX_DEPTH:
                modifiers += below
            elif below:
                modifier["modifiers"] = below
        return modifiers

    def remarks(self) -> Iterator[str]:
        """Its own remarks, then those of the items below, each with its item's name.

        They stay in the note, and out of the modifiers: a guest's free text is shown, told and erased as notes are."""
        yield from dict.fromkeys(remark for remark in (self.remark, self.item_remark) if remark)
        for part in self.sub_items or ():
            for remark in part.remarks():
                yield f"{clean(part.name) or clean(part.plu) or '?'}: {remark}"


class SubItem(Line):
    quantity: ModifierQuantity = 1
    removed: Removed = False


class Item(Line):
    quantity: Quantity = 1
    price: Amount = None


def _addressable(item: Item) -> Item:
    """An item of the order. Items below it become modifiers, which have no address."""
    if not can_be_in_address(one_line(item.plu, MAX_PLU)):
        raise PydanticCustomError("reserved", PLU_OUT_OF_ADDRESS, {"at": ["plu"]})
    return item


class Packaging(Loose):
    include_cutlery: bool | None = None


class OrderBody(Loose):
    """The order webhook. Other fields are stored in the log and not read."""

    id: Annotated[Id, Field(validation_alias="_id")]
    account: Text = ""
    brand_id: Text = ""
    channel_order_id: Text = ""
    channel_order_display_id: Text = ""
    location: Location = ""
    status: Any = None
    pickup_time: Time = None
    delivery_time: Time = None
    customer: Customer | None = None
    delivery_address: DeliveryAddress | None = None
    items: Annotated[list[Annotated[Item, AfterValidator(_addressable)]], Field(min_length=1, max_length=500)]
    decimal_digits: Digits = 2
    packaging: Packaging | None = None
    note: Note = ""
    # Read entry by entry: an unreadable history is no reason to refuse an order.
    status_history: Any = None


class CancelBody(Loose):
    """A cancellation needs its order's id; the rest may be missing, or anything."""

    id: Annotated[Id, Field(validation_alias="_id")]
    location: Any = None
    status_history: Any = None
