"""Any channel that can sign a JSON body: its link's mapping (mapping.py) says where the fields are."""

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as AnyMapping
from contextlib import suppress
from typing import Any, Final

from pydantic_core import PydanticCustomError

from core.bodies import invalid_body, pointer
from core.problems import FieldError
from integrations.adapters.base import (
    Adapter,
    ChannelOrderIn,
    Claim,
    Incoming,
    LinkFacts,
    MessageType,
    PaceUpdate,
    StatusUpdate,
)
from integrations.adapters.fields import (
    MAX_PLU,
    Cutter,
    amount,
    clean,
    cut,
    read_removed,
    read_time,
    whole_units,
    with_unique_plus,
)
from integrations.adapters.mapping import FAILED, Mapping, Modifiers, mapping_errors
from orders.ids import PLU_OUT_OF_ADDRESS, can_be_in_address
from orders.new import MAX_NOTE
from orders.statuses import ORDER_NAMES

MAX_DEPTH: Final = 8
MAX_ID_LENGTH: Final = 256
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class Generic(Adapter):
    kind = "generic"
    signature_header = "x-huuva-signature"
    has_mapping = True

    def claim(self, body: AnyMapping[str, Any]) -> Claim:
        # Its URL names the link.
        return Claim()

    def read(self, body: AnyMapping[str, Any], link: LinkFacts) -> Incoming:
        mapping = Mapping.model_validate(link.mapping)
        return _Reader(body, mapping, link).message()

    def status_update(self, update: StatusUpdate, link: LinkFacts) -> dict[str, Any] | None:
        mapping = Mapping.model_validate(link.mapping)
        name = FAILED if update.status is None else ORDER_NAMES[update.status]
        return {
            "orderId": update.external_id,
            "status": mapping.statuses.get(name, name),
            "reason": update.reason,
            "timeStamp": f"{update.at:%Y-%m-%dT%H:%M:%S.%f}Z",
        }

    def pace_update(self, update: PaceUpdate, link: LinkFacts) -> dict[str, Any] | None:
        return {
            "location": update.location,
            "mode": update.mode,
            "busyMinutes": update.busy_minutes,
            "preparationMinutes": update.preparation_minutes,
            "timeStamp": f"{update.at:%Y-%m-%dT%H:%M:%S.%f}Z",
        }

    def check_mapping(self, mapping: Any) -> list[str]:
        return mapping_errors(mapping)


class _Reader:
    """Reads one body by a mapping. Errors are collected, so that all are named at once."""

    def __init__(self, body: AnyMapping[str, Any], mapping: Mapping, link: LinkFacts) -> None:
        self.body, self.mapping, self.link = body, mapping, link
        self.errors: list[FieldError] = []
        self.cutter = Cutter()

    def message(self) -> Incoming:
        m = self.mapping
        external_id = self.id(m.id)
        if not external_id and not self.errors:
            self.error(m.id, "required", "This field is missing; send it.")
        status = self.text(self.body, m.status, 64)
        location = self.id(m.location)
        if status and status in m.cancelled:
            self.stop()
            reason = self.text(self.body, m.reason, 500)
            return Incoming(
                MessageType.CANCEL, external_id, location, status, reason, notes=self.cutter.notes()
            )
        order = self.order(external_id)
        self.stop()
        return Incoming(
            MessageType.ORDER, external_id, location, status, order=order, notes=self.cutter.notes()
        )

    def order(self, external_id: str) -> ChannelOrderIn:
        m, link = self.mapping, self.link
        currency = self.text(self.body, m.currency, 3)
        if currency and not _CURRENCY.fullmatch(currency):
            self.error(m.currency or "", "format", "Send three capital letters, such as EUR.")
            currency = ""
        items = list(self.items())
        display = self.text(self.body, m.display_id, 64)
        channel_order_id = self.text(self.body, m.channel_order_id, 128) or external_id[:128]
        return ChannelOrderIn(
            items=with_unique_plus(items),
            details={
                "account": self.text(self.body, m.account, 128) or link.slug,
                "brand_id": self.text(self.body, m.brand_id, 128) or link.brand_id or link.slug,
                "channel": cut(link.name, 64),
                "channel_order_id": channel_order_id,
                "channel_display_id": display,
                "customer_name": self.text(self.body, m.customer_name, 500) or display or channel_order_id,
                "customer_phone": self.text(self.body, m.customer_phone, 64),
                "delivery_address": None,
                "note": self.note(self.body, m.note),
            },
            pickup_time=self.read(self.body, m.pickup_time, read_time),
            currency=currency,
        )

    def items(self) -> Iterator[tuple[str, dict[str, Any]]]:
        m = self.mapping.items
        items = _at(self.body, m.list)
        if not isinstance(items, list) or not 1 <= len(items) <= 500:
            self.error(m.list, "type", "Send a list of 1 to 500 items.")
            return
        for number, item in enumerate(items):
            under = f"{m.list}.{number}"
            if not isinstance(item, dict):
                self.error(under, "type", "Send an object, {…}.")
                continue
            price = self.read(item, m.price, amount, under)
            plu = self.text(item, m.plu, MAX_PLU, under)
            if not can_be_in_address(plu):
                self.error(f"{under}.{m.plu}", "reserved", PLU_OUT_OF_ADDRESS)
            yield (
                plu,
                {
                    "name": self.text(item, m.name, 500, under) or plu or "?",
                    "quantity": self.read(item, m.quantity, _quantity, under) or 1,
                    "note": self.note(item, m.note, under),
                    "modifiers": self.modifiers(item, m.modifiers, under),
                    "allergens": [],
                    "price": whole_units(price, self.mapping.decimal_digits),
                },
            )

    def modifiers(
        self, item: AnyMapping[str, Any], m: Modifiers | None, under: str, depth: int = 1
    ) -> list[dict[str, Any]]:
        """Levels deeper than MAX_DEPTH are put on that level. What can't be read is an error, never left out: it may be
        what somebody must not eat."""
        parts = _at(item, m.list) if m else None
        if m is None or parts is None:
            return []
        if not isinstance(parts, list) or len(parts) > 100:
            self.error(f"{under}.{m.list}", "type", "Send a list of up to 100.")
            return []
        modifiers = []
        for number, part in enumerate(parts):
            place = f"{under}.{m.list}.{number}"
            if not isinstance(part, dict):
                self.error(place, "type", "Send an object, {…}.")
                continue
            modifier: dict[str, Any] = {"name": self.text(part, m.name, 500, place) or "?", "quantity": 1}
            if m.quantity is not None and _at(part, m.quantity) is not None:
                modifier["quantity"] = self.read(part, m.quantity, _modifier_quantity, place)
            if self.read(part, m.removed, read_removed, place):
                modifier["quantity"] = 0
            if plu := self.text(part, m.plu, 128, place):
                modifier["plu"] = plu
            below = self.modifiers(part, m, place, depth + 1)
            modifiers.append(modifier)
            if depth >= MAX_DEPTH:
                modifiers += below
            elif below:
                modifier["modifiers"] = below
        return modifiers

    def text(self, part: AnyMapping[str, Any], path: str | None, max_length: int, under: str = "") -> str:
        """A name or the like: one line, cut where it is too long."""
        place = f"{under}.{path}" if under else str(path)
        return self.cutter.line(self.raw_text(part, path, place), max_length, *place.split("."))

    def note(self, part: AnyMapping[str, Any], path: str | None, under: str = "") -> str:
        """A text for the cooks, never cut."""
        place = f"{under}.{path}" if under else str(path)
        note = clean(self.raw_text(part, path, place))
        if len(note) > MAX_NOTE:
            self.error(place, "too_long", f"Send at most {MAX_NOTE} characters.")
        return note

    def raw_text(self, part: AnyMapping[str, Any], path: str | None, place: str) -> str:
        value = _at(part, path) if path else None
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.error(place, "type", "Send a text.")
            return ""
        return str(value)

    def id(self, path: str) -> str:
        """An id of an order or a location. It is never cut: two long ones could become the same."""
        value = self.text(self.body, path, MAX_ID_LENGTH + 1)
        if len(value) > MAX_ID_LENGTH:
            self.error(path, "too_long", f"Send at most {MAX_ID_LENGTH} characters.")
        return value

    def read[T](
        self, part: AnyMapping[str, Any], path: str | None, how: Callable[[Any], T | None], under: str = ""
    ) -> T | None:
        if path is None:
            return None
        try:
            return how(_at(part, path))
        except PydanticCustomError as error:
            self.error(f"{under}.{path}" if under else path, error.type, error.message())
            return None

    def error(self, path: str, code: str, detail: str) -> None:
        self.errors.append({"pointer": pointer(*path.split(".")), "code": code, "detail": detail})

    def stop(self) -> None:
        if self.errors:
            raise invalid_body(self.errors)


def _quantity(value: Any, least: int = 1) -> int:
    """Raises PydanticCustomError, also for what is no number: ask for a whole one."""
    with suppress(PydanticCustomError):
        number = amount(value)
        if number is not None and number == int(number) and least <= number <= 9999:
            return int(number)
    raise PydanticCustomError(
        "type", "Send a whole number from {least} to 9999, in plain digits.", {"least": least}
    )


def _modifier_quantity(value: Any) -> int:
    """0 leaves it out."""
    return _quantity(value, 0)


def _at(value: Any, path: str) -> Any:
    """The value at a path; None where there is none. A path that begins with `=` is the value itself."""
    if path.startswith("="):
        return path[1:]
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
