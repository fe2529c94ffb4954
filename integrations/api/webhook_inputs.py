"""The bodies that the webhook API accepts."""

from typing import Annotated, Any, Self

from django.core.exceptions import ValidationError
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.bodies import Body, Time, text_like
from integrations.deliveries.guard import check_url
from integrations.events import EVENTS

_KNOWN = ", ".join(EVENTS)


def _event(value: Any) -> str:
    if isinstance(value, str) and value in EVENTS:
        return value
    raise PydanticCustomError("unknown_event", "Send events of this list: {known}.", {"known": _KNOWN})


def _without_repeats(events: list[str]) -> list[str]:
    return [event for event in EVENTS if event in events]


Event = Annotated[str, BeforeValidator(_event), WithJsonSchema({"type": "string", "enum": list(EVENTS)})]
Events = Annotated[
    list[Event],
    Field(min_length=1, max_length=50, description="What it is told of."),
    AfterValidator(_without_repeats),
]
Name = Annotated[
    str,
    text_like(
        r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
        "Send a name that is not blank and holds no control characters.",
        longest=64,
    ),
]


def _allowed_url(url: str) -> str:
    """Checked here and not later, so that a wrong URL is named together with the other wrong fields."""
    try:
        check_url(url)
    except ValidationError as error:
        code, detail = error.code or "invalid", " ".join(error.messages)
        raise PydanticCustomError(code, "{detail}", {"detail": detail}) from None
    return url


Url = Annotated[
    str,
    StringConstraints(max_length=2000),
    AfterValidator(_allowed_url),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "maxLength": 2000,
            "pattern": "^https://",
            "description": "Where events are posted to: https, a public address, no user, no fragment.",
        }
    ),
]
Channel = Annotated[
    str, StringConstraints(max_length=64), Field(description="Only orders of this channel; empty: of all.")
]
Customer = Annotated[
    bool,
    Field(
        description="Whether it gets account, name, phone, address and notes. Needs a key with customers:read."
    ),
]


class WebhookIn(Body):
    """A new webhook endpoint."""

    name: Name
    url: Url
    events: Events
    kitchen: Annotated[str, StringConstraints(min_length=1, max_length=50)] | None = Field(
        None, description="Only orders of this kitchen; left out: the key's, or all."
    )
    channel: Channel = ""
    include_customer: Customer = False


class WebhookChange(Body):
    """What is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name]}
                for name in ("name", "url", "events", "channel", "includeCustomer", "enabled")
            ]
        }
    )
    name: Name | None = None
    url: Url | None = None
    events: Events | None = None
    channel: Channel | None = None
    include_customer: Customer | None = None
    enabled: (
        Annotated[bool, Field(description="True also brings back what was disabled by failures.")] | None
    ) = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("required", "Send what shall change.")
        return self


# The default of these fields; null may not be sent.
_ABSENT: Any = None


class ReplayIn(Body):
    """One of the three."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["since"]}, {"required": ["order"]}, {"required": ["delivery"]}]
        }
    )
    since: Annotated[Time, Field(description="All events recorded from then on, 30 days ago at most.")] = (
        Field(_ABSENT)
    )
    order: Annotated[
        str,
        text_like(r"^[^\x00/]+$", "Send the id of an order.", longest=128),
        Field(description="All events of this order."),
    ] = Field(_ABSENT)
    delivery: Annotated[
        str,
        text_like(r"^[0-9]{1,18}$", "Send the id of a delivery.", longest=18),
        Field(description="This delivery."),
    ] = Field(_ABSENT)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("one_of", "Send one of since, order and delivery.")
        return self
