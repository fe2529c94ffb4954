"""A generic link's mapping: where the fields are in its channel's body. Managers edit it in the admin.

docs/adding-a-channel.md has a complete one.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from orders.statuses import ORDER_NAMES

Path = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+)*$", max_length=200)]
# Beside our statuses: what is sent to the channel for an order that could not be taken.
FAILED: Final = "FAILED"


class _Strict(BaseModel):
    """A part of a mapping; unknown names are errors."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Modifiers(_Strict):
    list: Path
    name: Path
    quantity: Path | None = None
    # True: left out. Read by its usual name, too, as it would else be shown as added.
    removed: Path = "removed"
    plu: Path | None = None


class Items(_Strict):
    list: Path
    plu: Path
    name: Path
    quantity: Path
    price: Path | None = None
    note: Path | None = None
    # Modifiers of modifiers have the same name, one level down.
    modifiers: Modifiers | None = None


class Mapping(_Strict):
    """Paths into the channel's body: names with dots between them, numbers count in lists; `=main` is always “main”."""

    id: Path
    location: Path
    items: Items
    status: Path | None = None
    cancelled: Annotated[list[str], Field(max_length=50)] = []
    reason: Path | None = None
    pickup_time: Path | None = None
    channel_order_id: Path | None = None
    display_id: Path | None = None
    account: Path | None = None
    brand_id: Path | None = None
    customer_name: Path | None = None
    customer_phone: Path | None = None
    note: Path | None = None
    currency: Path | None = None
    decimal_digits: Annotated[int, Field(ge=0, le=6)] = 2
    # Our statuses, and FAILED, in the channel's words; ours is sent where one is missing.
    statuses: dict[str, str] = {}


def mapping_errors(mapping: Any) -> list[str]:
    """The errors of a mapping, one sentence each, with its place."""
    try:
        valid = Mapping.model_validate(mapping)
    except ValidationError as error:
        return [
            f"{_place(details['loc'])}: {_describe(details)}" for details in error.errors(include_url=False)
        ]
    known = [*ORDER_NAMES.values(), FAILED]
    errors = [
        f"statuses.{name}: Unknown status; use one of {', '.join(known)}."
        for name in sorted(valid.statuses.keys() - set(known))
    ]
    if valid.cancelled and valid.status is None:
        errors.append("status: Missing; `cancelled` needs it.")
    return errors


def _place(parts: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in parts) or "mapping"


def _describe(error: Any) -> str:
    match error["type"]:
        case "missing":
            return "Missing; write its path in the channel's body."
        case "extra_forbidden":
            return "Unknown name; see docs/adding-a-channel.md."
        case "string_pattern_mismatch":
            return "Write a path such as order.lines, names with dots between them."
        case "model_type" | "model_attributes_type":
            return "Write an object, {…}."
    return str(error["msg"]) + "."
