"""The query parameters of the order API, and the filters of its list."""

from typing import Annotated

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from core.queries import TEXT_SCHEMA, Query, Time
from orders import clock, feed
from orders.api.inputs import status_schema
from orders.api.paging import DEFAULT_LIMIT, Limit, Place, read_cursor
from orders.models import Order
from orders.models.querysets import OrderQuerySet, is_late_at
from orders.statuses import ORDER_NAMES

_NUMBERS = {name: number for number, name in ORDER_NAMES.items()} | {
    str(number): number for number in ORDER_NAMES
}
_TEXT = forms.CharField(max_length=128, strip=False, required=False)


def _statuses(texts: list[str]) -> list[int]:
    try:
        return [_NUMBERS[text] for text in texts]
    except KeyError:
        ways = ", ".join(f"{number} or {name}" for number, name in ORDER_NAMES.items())
        raise PydanticCustomError("status", f"Send a status: {ways}.") from None


def _text(text: str) -> str | None:
    try:
        cleaned: str = _TEXT.clean(text)
    except ValidationError as error:
        raise PydanticCustomError("text", " ".join(error.messages)) from None
    return cleaned or None


def _flag(text: str) -> bool | None:
    if text not in ("", "true", "false"):
        raise PydanticCustomError("flag", "Send true or false.")
    return text == "true" if text else None


def _place(text: str) -> Place | None:
    return read_cursor(text, Place.parse, "as it stands in next or previous, or none.")


def _after(text: str) -> feed.Cursor | None:
    where = "as it stood in next or in an event, or none to begin at the first event."
    return read_cursor(text, feed.Cursor.from_client, where)


Text = Annotated[str | None, PlainValidator(_text), WithJsonSchema(TEXT_SCHEMA)]


class ListQuery(Query):
    """Filters of `GET /orders`, which may all be combined, and the page."""

    status: Annotated[
        list[int],
        PlainValidator(_statuses),
        WithJsonSchema({"type": "array", "items": status_schema(ORDER_NAMES)}),
    ] = Field(default_factory=list, description="Number or name; may be given several times.")
    account: Text = None
    brand_id: Text = None
    channel_order_id: Text = None
    kitchen: Text = Field(None, description="The kitchen's slug.")
    updated_after: Time = None
    pickup_from: Time = Field(None, description="Pickup time at or after.")
    pickup_to: Time = Field(None, description="Pickup time before.")
    late: Annotated[bool | None, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})] = Field(
        None, description="Due has passed and the order isn't ready."
    )
    since: Time = Field(None, alias="from", description="Created at or after.")
    until: Time = Field(None, alias="to", description="Created before.")
    limit: Limit = DEFAULT_LIMIT
    cursor: Annotated[Place | None, PlainValidator(_place), WithJsonSchema({"type": "string"})] = Field(
        None, description="As it stands in `next` or `previous`."
    )

    @property
    def has_filters(self) -> bool:
        return not self.model_fields_set <= {"limit", "cursor"}


class EventQuery(Query):
    """Where to go on in the change feed."""

    after: Annotated[feed.Cursor | None, PlainValidator(_after), WithJsonSchema({"type": "string"})] = Field(
        None, description="`next` of the page before; left out: from the start."
    )
    limit: Limit = DEFAULT_LIMIT


class OrderFilter(django_filters.FilterSet):
    """Applies the filters of a ListQuery; `OrderQuerySet.with_times` applies the other times."""

    status = django_filters.Filter(lookup_expr="in")
    account = django_filters.Filter()
    brand_id = django_filters.Filter()
    channel_order_id = django_filters.Filter()
    kitchen = django_filters.Filter(field_name="kitchen_id")
    late = django_filters.Filter(method="filter_late")
    since = django_filters.Filter(field_name="created_at", lookup_expr="gte")
    until = django_filters.Filter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Order
        fields: list[str] = []

    def filter_late(self, orders: OrderQuerySet, name: str, value: bool) -> OrderQuerySet:
        now = clock.now()
        return orders.late(now) if value else orders.exclude(is_late_at(now))


def filtered(orders: OrderQuerySet, query: ListQuery) -> tuple[OrderQuerySet, ...]:
    """The orders that match, in parts that have none in common."""
    matching: OrderQuerySet = OrderFilter(dict(query), queryset=orders).qs
    return matching.with_times(
        updated_after=query.updated_after, pickup_from=query.pickup_from, pickup_to=query.pickup_to
    )
