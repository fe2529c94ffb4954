"""What bodies of channels are made of, read leniently: an order is cooked even where one of its texts is too long.

Texts are cut to what the order tables hold (the whole payload is kept beside), numbers may come as texts; what would
make an order wrong, such as a quantity of 0, is still a named error.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from core.bodies import Body, parse_time
from orders.currencies import minor_digits
from orders.new import NewItem

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9._~+=@-]{1,64}")
_ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$")
_MOST: Final = 10**9


class Loose(Body):
    """A part of a channel's body: unknown fields ignored, the first spelling that is there counts."""

    model_config = ConfigDict(strict=False, coerce_numbers_to_str=True, populate_by_name=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls.spellings = []


def cut(text: str, longest: int) -> str:
    """Printable, without spaces around it, and at most that long."""
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def one_line(text: str, longest: int) -> str:
    return cut(" ".join(text.split()), longest)


def _text(value: Any) -> str:
    """Null is no text. What is no text at all is named, except that numbers are."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PydanticCustomError("type", "Send a text.")
    return str(value)


def _id(value: Any) -> str:
    """What repeats are told by: nothing is made of it."""
    if value is None:
        raise PydanticCustomError("required", "This field is missing; send it.")
    if not isinstance(value, str):
        raise PydanticCustomError("type", "Send a text.")
    return value


def _quantity(value: Any) -> int:
    """A whole number, or the text of one."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("type", "Send a whole number.")
    return value


def read_moment(value: Any) -> datetime | None:
    """A time of RFC 3339, with seconds or microseconds; without a zone it is UTC, as these channels promise."""
    if value in (None, ""):
        return None
    if isinstance(value, str) and "T" in value.upper() and not _ZONE.search(value):
        value += "Z"
    return parse_time(value)


def _digits(value: Any) -> Any:
    return 2 if value is None else value


def amount(value: Any) -> Decimal | None:
    """A number, or one that was sent as a text. Raises PydanticCustomError."""
    if value in (None, ""):
        return None
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value))
        if not number.is_finite() or abs(number) > _MOST:
            raise InvalidOperation
    except InvalidOperation:
        raise PydanticCustomError("type", "Send an amount, a number up to {most}.", {"most": _MOST}) from None
    return number


Text = Annotated[str, BeforeValidator(_text)]
Moment = Annotated[datetime | None, BeforeValidator(read_moment)]
Id = Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=256)]
# Which kitchen is meant: nothing is made of it, or two long ones could become the same.
Place = Annotated[Text, Field(max_length=256)]
Quantity = Annotated[int, BeforeValidator(_quantity), Field(ge=1, le=9999)]
Digits = Annotated[int, BeforeValidator(_digits), Field(ge=0, le=6)]
Amount = Annotated[Decimal | None, BeforeValidator(amount)]


def whole_units(value: Decimal | None, digits: int) -> Decimal | None:
    """An amount whose last `digits` digits are decimals, as people say it: 1250 with 2 is 12.50."""
    return None if value is None else value.scaleb(-digits)


def minor_units(value: Decimal | None, currency: str) -> int | None:
    """Whole units in the minor units of a currency."""
    if value is None:
        return None
    scaled = value.scaleb(minor_digits(currency)).quantize(Decimal(1), ROUND_HALF_UP)
    return max(-_MOST, min(_MOST, int(scaled)))


def id_part(external_id: str) -> str:
    """The channel's id as it may stand in ours: as it is where it is plain, else by its digest."""
    if _PLAIN_ID.fullmatch(external_id):
        return external_id
    return hashlib.sha256(external_id.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def with_own_plus(lines: Iterable[tuple[str, dict[str, Any]]]) -> list[NewItem]:
    """Lines that share a PLU become `PLU`, `PLU~2`, …; a PLU is unique inside its order."""
    lines = [(one_line(plu, 120) or "item", details) for plu, details in lines]
    named = {plu for plu, _ in lines}
    used: set[str] = set()
    items = []
    for plu, details in lines:
        own, number = plu, 1
        while own in used or (number > 1 and own in named):
            number += 1
            own = f"{plu}~{number}"
        used.add(own)
        items.append(NewItem(own, details))
    return items
