"""The admin's first page: how many orders are open and late now, in each kitchen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders import clock
from orders.access import kitchens_of
from orders.models import Order
from orders.statuses import FIRST, OPEN, PREPARING, READY


@dataclass(frozen=True)
class Figure:
    label: str | Promise
    look: str
    count: int
    url: str


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds `kitchens_now`, a name and figures for each kitchen with open orders; one statement over those alone."""
    if request.user.has_perm("orders.view_order"):
        context["kitchens_now"] = _kitchens_now(kitchens_of(request.user))
    return context


def _kitchens_now(allowed: frozenset[str] | None) -> list[tuple[str, list[Figure]]]:
    where = {} if allowed is None else {"kitchen__in": allowed}
    late = Q(status__in=(FIRST, PREPARING), due_at__lt=clock.now())
    rows = (
        Order.objects.filter(status__in=OPEN, **where)
        .values("kitchen_id", "kitchen__name")
        .annotate(
            late=Count("pk", filter=late),
            received=Count("pk", filter=Q(status=FIRST)),
            preparing=Count("pk", filter=Q(status=PREPARING)),
            ready=Count("pk", filter=Q(status=READY)),
        )
        .order_by("kitchen_id")
    )
    return [(row["kitchen__name"], _figures(row)) for row in rows]


def _figures(row: Mapping[str, Any]) -> list[Figure]:
    def to(**query: Any) -> str:
        return reverse("admin:orders_order_changelist", query={**query, "kitchen": row["kitchen_id"]})

    return [
        Figure(_("Late"), "late" if row["late"] else "calm", row["late"], to(late="yes")),
        Figure(_("Received"), "", row["received"], to(status=FIRST)),
        Figure(_("Preparing"), "", row["preparing"], to(status=PREPARING)),
        Figure(_("Ready"), "", row["ready"], to(status=READY)),
    ]
