"""The filters of the order list. Each reads a bounded number of rows for its choices."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders import clock
from orders.access import kitchens_of
from orders.models import Brand, Kitchen, Order
from orders.models.querysets import is_late_at
from orders.statuses import OPEN, OrderStatus

# Channels are free text in orders: the choices are those of the latest orders.
CHANNELS_OF_LATEST = 1000
MOST_CHOICES = 200

type Orders = QuerySet[Order]


def _kitchens(request: HttpRequest) -> QuerySet[Kitchen]:
    """Those that the manager may see."""
    allowed = kitchens_of(request.user)
    return Kitchen.objects.all() if allowed is None else Kitchen.objects.filter(pk__in=allowed)


class StatusFilter(admin.SimpleListFilter):
    title = heading = _("Status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Open")), *((str(value), label) for value, label in OrderStatus.choices)]

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:
        value = self.value()
        if value == "open":
            return queryset.filter(status__in=OPEN)
        if value in {str(status) for status in OrderStatus.values}:
            return queryset.filter(status=value)
        return queryset


class LateFilter(admin.SimpleListFilter):
    title = heading = _("Late")
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Late now"))]

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:
        if self.value() != "yes":
            return queryset
        return queryset.filter(is_late_at(clock.now()))


class _LinkedFilter(admin.SimpleListFilter):
    """A filter that also works without choices: a link may name any kitchen, brand or channel."""

    def has_output(self) -> bool:
        return bool(self.lookup_choices or self.value())


class KitchenFilter(_LinkedFilter):
    title = heading = _("Kitchen")
    parameter_name = "kitchen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        kitchens = list(_kitchens(request).values_list("slug", "name")[:MOST_CHOICES])
        return kitchens if len(kitchens) > 1 or self.value() else []

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:
        return queryset.filter(kitchen_id=self.value()) if self.value() else queryset


class BrandFilter(_LinkedFilter):
    title = heading = _("Brand")
    parameter_name = "brand"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Brand.objects.values_list("id", "name")[:MOST_CHOICES])

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:
        return queryset.filter(brand_id=self.value()) if self.value() else queryset


class ChannelFilter(_LinkedFilter):
    title = heading = _("Channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        # Of the manager's kitchens alone: what others work with is theirs.
        orders = Order.objects.all()
        allowed = kitchens_of(request.user)
        if allowed is not None:
            orders = orders.filter(kitchen__in=allowed)
        latest = orders.newest_first().values_list("channel", flat=True)[:CHANNELS_OF_LATEST]
        return [(name, name) for name in sorted(set(latest)) if name]

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:
        return queryset.filter(channel=self.value()) if self.value() else queryset


class CreatedFilter(admin.ListFilter):
    """Days from and to, both included, in the zone of the chosen kitchen, else of the first that the manager sees."""

    title = heading = _("Day")
    template = "orders/admin/day_filter.html"
    parameter_name = "from"
    names = ("from", "to")

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]
        self.first, self.last = (_day(str(self.used_parameters.get(name, ""))) for name in self.names)
        zones = _kitchens(request).order_by("slug").values_list("time_zone", flat=True)
        slug = request.GET.get("kitchen")
        self.zone = (zones.filter(slug=slug) if slug else zones).first() or "UTC"

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """The presets; the template draws the two fields from `spec`."""
        today = clock.now().astimezone(zoneinfo.ZoneInfo(self.zone)).date()
        yesterday, week = today - timedelta(days=1), today - timedelta(days=6)
        self.other_parameters = [
            (name, value)
            for name, values in changelist.filter_params.items()
            for value in values
            if name not in self.names
        ]
        if changelist.query:
            self.other_parameters.append(("q", changelist.query))
        for title, first, last in (
            (_("All"), None, None),
            (_("Today"), today, today),
            (_("Yesterday"), yesterday, yesterday),
            (_("Last 7 days"), week, today),
        ):
            days = {"from": first.isoformat(), "to": last.isoformat()} if first and last else {}
            yield {
                "selected": (first, last) == (self.first, self.last),
                "query_string": changelist.get_query_string(days, remove=[] if days else self.names),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:
        if self.first:
            queryset = queryset.filter(created_at__gte=self._midnight(self.first))
        if self.last:
            queryset = queryset.filter(created_at__lt=self._midnight(self.last + timedelta(days=1)))
        return queryset

    def _midnight(self, day: date) -> datetime:
        local = datetime(day.year, day.month, day.day, tzinfo=zoneinfo.ZoneInfo(self.zone))
        return local.astimezone(UTC)


def _day(text: str) -> date | None:
    """The day that a link or a date field names; None for no day or nonsense, and beyond what orders can have."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None
