"""Where the fields of a generic channel stand in its body: a link's mapping, data that a manager edits in the admin.

docs/adding-a-channel.md has a whole one.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from orders.statuses import ORDER_NAMES

Path = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+)*$", max_length=200)]
# Beside our statuses: what the channel is told of an order that could not be taken.
FAILED: Final = "FAILED"


class _Strict(BaseModel):
    """A part of a mapping: a name that is not known is a mistake, and named."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Modifiers(_Strict):
    list: Path
    name: Path
    quantity: Path | None = None
    plu: Path | None = None


class Items(_Strict):
    list: Path
    plu: Path
    name: Path
    quantity: Path
    price: Path | None = None
    note: Path | None = None
    # Modifiers of modifiers stand under the same name, one level down.
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
    # Our statuses, and FAILED, in the channel's words; without one it is told ours.
    statuses: dict[str, str] = {}


def faults_of(mapping: Any) -> list[str]:
    """What is wrong with a mapping, one sentence for each fault, naming its place."""
    try:
        found = Mapping.model_validate(mapping)
    except ValidationError as error:
        return [f"{_place(one['loc'])}: {_told(one)}" for one in error.errors(include_url=False)]
    known = [*ORDER_NAMES.values(), FAILED]
    faults = [
        f"statuses.{name}: There is no such status of ours; write one of {', '.join(known)}."
        for name in sorted(found.statuses.keys() - set(known))
    ]
    if found.cancelled and found.status is None:
        faults.append("status: Missing; without it no word can say that an order is cancelled.")
    return faults


def _place(parts: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in parts) or "mapping"


def _told(error: Any) -> str:
    match error["type"]:
        case "missing":
            return "Missing; write where it stands in the channel's body."
        case "extra_forbidden":
            return "There is no such name in a mapping; see docs/adding-a-channel.md."
        case "string_pattern_mismatch":
            return "Write a path such as order.lines, names with dots between them."
        case "model_type" | "model_attributes_type":
            return "Write an object, {…}."
    return str(error["msg"]) + "."
