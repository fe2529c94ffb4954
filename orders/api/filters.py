"""The filters of the order list. A value that can't be read is a 400 that names its parameter."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from pydantic_core import PydanticCustomError

from core.bodies import invalid_parameters, parse_time, unknown_parameters
from core.problems import FieldError
from orders import clock
from orders.api.paging import PAGING
from orders.models import Order
from orders.models.querysets import OrderQuerySet, is_late_at
from orders.statuses import ORDER_NAMES

_NUMBERS = {name: number for number, name in ORDER_NAMES.items()} | {
    str(number): number for number in ORDER_NAMES
}


class _TimeField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        try:
            # A “+” of a zone that was not percent-encoded arrives as a space.
            return parse_time(value[:-6] + value[-6:].replace(" ", "+"))
        except PydanticCustomError as error:
            raise ValidationError(error.message()) from None


class TimeFilter(django_filters.Filter):
    field_class = _TimeField


class _StatusField(forms.Field):
    widget = forms.SelectMultiple

    def to_python(self, value: Any) -> list[int]:
        try:
            return [_NUMBERS[name] for name in value or ()]
        except KeyError:
            ways = ", ".join(f"{number} or {name}" for number, name in ORDER_NAMES.items())
            raise ValidationError(f"Send a status: {ways}.") from None


class StatusFilter(django_filters.Filter):
    field_class = _StatusField


class _FlagField(forms.Field):
    def to_python(self, value: Any) -> bool | None:
        if not value:
            return None
        if value not in ("true", "false"):
            raise ValidationError("Send true or false.")
        return bool(value == "true")


class FlagFilter(django_filters.Filter):
    field_class = _FlagField


class TextFilter(django_filters.CharFilter):
    """An exact text; blanks count."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, strip=False, max_length=128, **kwargs)


class OrderFilter(django_filters.FilterSet):
    """Filters of `GET /orders`; all may be combined."""

    status = StatusFilter(method="filter_status", help_text="Number or name; may be given several times.")
    account = TextFilter(field_name="account")
    brandId = TextFilter(field_name="brand_id")
    channelOrderId = TextFilter(field_name="channel_order_id")
    kitchen = TextFilter(field_name="kitchen_id", help_text="The kitchen's slug.")
    updatedAfter = TimeFilter(method="later")
    pickupFrom = TimeFilter(method="later")
    pickupTo = TimeFilter(method="later")
    late = FlagFilter(method="filter_late", help_text="Due has passed and the order isn't ready.")

    class Meta:
        model = Order
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        # `from` is a word of Python's, so it can't be declared above.
        return {
            **super().get_filters(),
            "from": TimeFilter(field_name="created_at", lookup_expr="gte", help_text="Created at or after."),
            "to": TimeFilter(field_name="created_at", lookup_expr="lt", help_text="Created before."),
        }

    def filter_status(self, orders: OrderQuerySet, name: str, value: list[int]) -> OrderQuerySet:
        return orders.filter(status__in=value) if value else orders

    def later(self, orders: OrderQuerySet, name: str, value: Any) -> OrderQuerySet:
        """All three together: see `filtered`."""
        return orders

    def filter_late(self, orders: OrderQuerySet, name: str, value: bool | None) -> OrderQuerySet:
        if value is None:
            return orders
        now = clock.now()
        return orders.late(now) if value else orders.exclude(is_late_at(now))


KNOWN = frozenset(OrderFilter.base_filters) | PAGING


def filtered(orders: OrderQuerySet, query: Any) -> tuple[OrderQuerySet, ...]:
    """The orders that the query's filters let through, in parts that have none in common. Raises Problem
    `invalid_parameter` naming each wrong one, and each that is neither a filter nor for paging."""
    errors: list[FieldError] = [] if query.keys() <= KNOWN else unknown_parameters(query, KNOWN)
    if query.keys().isdisjoint(OrderFilter.base_filters):
        if errors:
            raise invalid_parameters(errors)
        return (orders,)  # Most lists ask for no filter, and building the form costs more than the page.
    filters = OrderFilter(query, queryset=orders)
    errors += [
        {"pointer": f"?{name}", "code": "invalid", "detail": " ".join(texts)}
        for name, texts in filters.errors.items()
    ]
    if errors:
        raise invalid_parameters(errors)
    found: OrderQuerySet = filters.qs
    asked = filters.form.cleaned_data
    return found.with_times(
        updated_after=asked["updatedAfter"], pickup_from=asked["pickupFrom"], pickup_to=asked["pickupTo"]
    )
