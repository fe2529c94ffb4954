"""Bodies of PATCH and of recalls: what changes an order or an item that is there."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import (
    ConfigDict,
    Field,
    model_validator,
)

from core.bodies import Body, Time, invalid_body, pointer
from core.problems import FieldError, Problem
from orders.api.inputs import MAX_SHOWN, ItemStatusIn, Key, Note, NotSent, OrderStatusIn, Quantity, Text

# How many unknown fields an answer names.
MAX_UNKNOWN = 20


def _patch_schema(*names: str) -> dict[str, Any]:
    """JSON Schema for: at least one of these fields, and none that is unknown."""
    return {"anyOf": [{"required": [name]} for name in names], "additionalProperties": False}


def _left_out() -> Any:
    """A field of a PATCH that wasn't sent. `null` is refused: a client that sends all fields would empty notes."""
    return None


class Patch(Body):
    """Fields that change something, of which at least one must be sent; `reason` goes with any of them.

    Unknown fields are refused: if ignored, an answer of 200 would say that what they ask for was done.
    """

    # All names of the fields that change something; set below.
    changing: ClassVar[frozenset[str]] = frozenset()
    # What to say of fields that belong elsewhere.
    elsewhere: ClassVar[dict[str, str]] = {}

    reason: Text | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        fields = {name: field for name, field in cls.model_fields.items() if name != "reason"}
        cls.changing = frozenset(
            spelling for name, field in fields.items() for spelling in (name, field.alias or name)
        )

    @classmethod
    def read(cls, data: Any) -> Self:
        """The checked body. Raises Problem `invalid_body` (400) that names every wrong and every unknown field."""
        unknown = cls._unknown(data)
        try:
            patch = super().read(data)
        except Problem as problem:
            raise invalid_body([*problem.errors, *unknown]) from None
        if unknown:
            raise invalid_body(unknown)
        return patch

    @classmethod
    def _unknown(cls, data: Mapping[str, Any]) -> list[FieldError]:
        fields = [field.alias or name for name, field in cls.model_fields.items() if name != "reason"]
        known = ", ".join([*fields, "reason"])
        names = [name for name in data if name not in cls.changing and name != "reason"]
        return [
            {
                "pointer": pointer(name[:MAX_SHOWN]),
                "code": "unknown",
                "detail": f"{cls.elsewhere.get(name, 'There is no such field here.')} This call takes {known}.",
            }
            for name in names[:MAX_UNKNOWN]
        ]

    @property
    def moves(self) -> bool:
        return "status" in self.model_fields_set

    @model_validator(mode="before")
    @classmethod
    def _something(cls, data: Any) -> Any:
        # Unknown fields have errors of their own, from `read`.
        if isinstance(data, dict) and data.keys() <= {"reason"}:
            # As a wrong status, so that it is named together with all other wrong fields.
            return {**data, "status": NotSent}
        return data


class OrderPatch(Patch):
    """Where an order shall go, or what of it is amended, or both; and why."""

    model_config = ConfigDict(json_schema_extra=_patch_schema("status", "note", "pickupTime"))
    elsewhere = {
        "items": "The content of an order is not changed by this call; PATCH /orders/{id}/items/{plu} changes an item."
    }

    status: OrderStatusIn = Field(default_factory=_left_out)
    note: Note = Field(default_factory=_left_out, description="For the cooks; an empty text removes it.")
    pickup_time: Time = Field(default_factory=_left_out, description="The order becomes due by it.")

    @property
    def amends(self) -> bool:
        return not self.model_fields_set.isdisjoint({"note", "pickup_time"})


class ItemPatch(Patch):
    """Where an item shall go, or what of it is amended, or both; and why."""

    model_config = ConfigDict(json_schema_extra=_patch_schema("status", "note", "quantity"))

    status: ItemStatusIn = Field(default_factory=_left_out)
    note: Note = Field(default_factory=_left_out, description="For the cooks; an empty text removes it.")
    quantity: Quantity = Field(
        default_factory=_left_out, description="To cancel an item, send the status CANCELLED."
    )

    @property
    def amends(self) -> bool:
        return not self.model_fields_set.isdisjoint({"note", "quantity"})


class RecallIn(Body):
    """Whose latest change to take back: the order's or, with `plu`, one item's."""

    plu: Key | None = None
    reason: Text | None = None
