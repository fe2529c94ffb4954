"""Field types of channels' bodies, read leniently: an order is cooked even where one of its names is too long.

Names are cut to what the order tables hold (the whole payload is in the log) and numbers may be texts. What would make
an order wrong, such as a quantity of 0 or a note of which a part would be lost, is still an error.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from core.bodies import Body, invalid_body, parse_time, pointer
from core.problems import FieldError
from orders.currencies import minor_digits
from orders.new import MAX_NOTE, NewItem

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9._~+=@-]{1,64}")
_ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$")
# A number as JSON writes it (RFC 8259 §6), but for zeros before it, which do no harm. int() and Decimal() read more:
# "1_000", digits of other scripts, spaces around.
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MAX_AMOUNT: Final = 10**9
# Shorter than the column: a number may be put behind it.
MAX_PLU: Final = 120
# How many fields a message's log entry names.
MAX_NAMED: Final = 10


class Loose(Body):
    """A part of a channel's body: unknown fields are ignored; of several spellings the first that is there counts."""

    model_config = ConfigDict(strict=False, coerce_numbers_to_str=True, populate_by_name=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls.spellings = []


def clean(text: str) -> str:
    """The text stripped and without control characters."""
    return _CONTROL.sub(" ", text).strip()


def cut(text: str, max_length: int) -> str:
    """The clean text, not longer than that."""
    text = clean(text)
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def one_line(text: str, max_length: int) -> str:
    return cut(" ".join(text.split()), max_length)


class Cutter:
    """Makes texts one line that is not too long, and remembers the fields that were cut."""

    def __init__(self) -> None:
        self.places: dict[str, None] = {}

    def line(self, text: str, max_length: int, *place: str | int) -> str:
        line = " ".join(text.split())
        if len(clean(line)) > max_length:
            self.places[pointer(*place)] = None
        return cut(line, max_length)

    def notes(self) -> tuple[str, ...]:
        """For the log of messages."""
        if not self.places:
            return ()
        named = ", ".join(list(self.places)[:MAX_NAMED])
        more = " …" if len(self.places) > MAX_NAMED else ""
        return (f"Cut, because it is longer than an order holds: {named}{more}.",)


def _text(value: Any) -> str:
    """Null is empty, numbers become texts, anything else is an error."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PydanticCustomError("type", "Send a text.")
    return str(value)


def _id(value: Any) -> str:
    """Repeats are recognised by it, so it is taken exactly as it is."""
    if value is None:
        raise PydanticCustomError("required", "This field is missing; send it.")
    if not isinstance(value, str):
        raise PydanticCustomError("type", "Send a text.")
    return value


def join_notes(texts: Iterable[str], *place: str | int) -> str:
    """The texts below each other. Raises Problem `invalid_body` where they are too long together."""
    note = "\n".join(text for text in texts if text)
    if len(note) > MAX_NOTE:
        detail = f"Send at most {MAX_NOTE} characters, together with what is shown beside it."
        error: FieldError = {"pointer": pointer(*place), "code": "too_long", "detail": detail}
        raise invalid_body([error])
    return note


def read_removed(value: Any) -> bool:
    """Whether a modifier is left out. Raises PydanticCustomError: what is unclear may be what somebody must not eat."""
    if isinstance(value, str):
        value = {"true": True, "false": False, "": False}.get(value.lower(), value)
    if value is None:
        return False
    if value not in (True, False) or isinstance(value, float):
        raise PydanticCustomError("type", "Send true or false.")
    return bool(value)


def _whole_number(value: Any) -> int:
    """A whole number, or the text of one: ASCII digits alone."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("type", "Send a whole number, in plain digits.")
    return value


def read_time(value: Any) -> datetime | None:
    """A time of RFC 3339, with seconds or microseconds; without a zone it is UTC, as these channels promise."""
    if value in (None, ""):
        return None
    if isinstance(value, str) and "T" in value.upper() and not _ZONE.search(value):
        value += "Z"
    return parse_time(value)


def _digits(value: Any) -> int:
    return 2 if value is None else _whole_number(value)


def amount(value: Any) -> Decimal | None:
    """A number, or the text of one as JSON writes it. Raises PydanticCustomError."""
    if value in (None, ""):
        return None
    try:
        if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
            raise InvalidOperation
        number = Decimal(str(value))
        if not number.is_finite() or abs(number) > _MAX_AMOUNT:
            raise InvalidOperation
    except InvalidOperation:
        raise PydanticCustomError(
            "type",
            "Send an amount, a number up to {most} in plain digits, such as 12.50.",
            {"most": _MAX_AMOUNT},
        ) from None
    return number


Text = Annotated[str, BeforeValidator(_text)]
# For the cooks, so it is never cut.
Note = Annotated[
    str, StringConstraints(max_length=MAX_NOTE), BeforeValidator(lambda value: clean(_text(value)))
]
Removed = Annotated[bool, BeforeValidator(read_removed)]
Time = Annotated[datetime | None, BeforeValidator(read_time)]
Id = Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=256)]
# Says which kitchen is meant, so it is never cut: two long ones could become the same.
Location = Annotated[Text, Field(max_length=256)]
Quantity = Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=9999)]
# 0 leaves it out.
ModifierQuantity = Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=9999)]
Digits = Annotated[int, BeforeValidator(_digits), Field(ge=0, le=6)]
Amount = Annotated[Decimal | None, BeforeValidator(amount)]


def whole_units(value: Decimal | None, digits: int) -> Decimal | None:
    """An amount whose last `digits` digits are decimals, in whole units: 1250 with 2 is 12.50."""
    return None if value is None else value.scaleb(-digits)


def minor_units(value: Decimal | None, currency: str) -> int | None:
    """An amount of whole units in the minor units of a currency."""
    if value is None:
        return None
    scaled = value.scaleb(minor_digits(currency)).quantize(Decimal(1), ROUND_HALF_UP)
    return max(-_MAX_AMOUNT, min(_MAX_AMOUNT, int(scaled)))


def id_part(external_id: str) -> str:
    """The channel's id as a part of ours: itself where it is plain, else its digest."""
    if _PLAIN_ID.fullmatch(external_id):
        return external_id
    return hashlib.sha256(external_id.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def with_unique_plus(items: Iterable[tuple[str, dict[str, Any]]]) -> list[NewItem]:
    """Items that share a PLU become `PLU`, `PLU~2`, …; a PLU is unique in its order."""
    items = [(one_line(plu, MAX_PLU) or "item", details) for plu, details in items]
    plus = {plu for plu, _ in items}
    used: set[str] = set()
    new_items = []
    for plu, details in items:
        unique, number = plu, 1
        while unique in used or (number > 1 and unique in plus):
            number += 1
            unique = f"{plu}~{number}"
        used.add(unique)
        new_items.append(NewItem(unique, details))
    return new_items
