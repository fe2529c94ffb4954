"""Keyset pages: a cursor names the last order seen, so a page costs the same however deep it lies, and orders that
arrive meanwhile neither shift nor repeat anything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self
from urllib.parse import urlencode

from django.db.models import Q
from pydantic import Field
from pydantic_core import PydanticCustomError
from rest_framework.request import Request

from core.api import kitchen_of
from core.queries import up_to
from orders.cursors import decrypted, encrypted
from orders.models import Order
from orders.models.querysets import OrderQuerySet
from orders.statements import newest_orders, without_prepared_statements

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT), up_to(MAX_LIMIT)]
_LIST = "orders"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list, newest first: just behind an order, or just before it (`backwards`)."""

    created_at: datetime
    order_id: str
    backwards: bool = False

    def __str__(self) -> str:
        micros = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return encrypted(f"{'p' if self.backwards else 'n'}{micros}.{self.order_id}", of=_LIST)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError and OverflowError."""
        raw = decrypted(text, of=_LIST)
        micros, dot, order_id = raw[1:].partition(".")
        if raw[:1] not in ("n", "p") or not dot or "\x00" in order_id or len(micros) > 17:
            raise ValueError(text)
        return cls(_EPOCH + timedelta(microseconds=int(micros)), order_id, raw[0] == "p")


@dataclass(frozen=True, slots=True)
class Page:
    orders: list[Order]
    next: str | None
    previous: str | None


def read_cursor[C](text: str, parse: Callable[[str], C], remedy: str) -> C | None:
    """The place that a cursor names; None for an empty one. Raises PydanticCustomError."""
    if not text:
        return None
    try:
        return parse(text)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "cursor", f"This is no cursor that this server gives for this list. Send one {remedy}"
        ) from None


def page_of(parts: Sequence[OrderQuerySet] | None, request: Request, limit: int, place: Place | None) -> Page:
    """Up to `limit` of the orders in all of the parts, from `place` on; None: of all that the key may see."""
    backwards = place is not None and place.backwards
    order = ("created_at", "id") if backwards else ("-created_at", "-id")
    # One more than asked for tells whether there is another page, without counting.
    if parts is None:
        # This is a prepared statement with a good plan for all values.
        beyond = None if place is None else (place.created_at, place.order_id)
        orders = newest_orders(kitchen_of(request), limit + 1, beyond, backwards=backwards)
    else:
        first, *others = (
            (part if place is None else part.filter(_beyond(place))).order_by(*order)[: limit + 1]
            for part in parts
        )
        orders = _read(first.union(*others, all=True).order_by(*order)[: limit + 1] if others else first)
    more = len(orders) > limit
    del orders[limit:]
    if backwards:
        orders.reverse()
    behind, before = (True, more) if backwards else (more, place is not None)
    return Page(
        orders,
        next=_url(request, orders[-1], backwards=False) if orders and behind else None,
        previous=_url(request, orders[0], backwards=True) if orders and before else None,
    )


def _read(orders: OrderQuerySet) -> list[Order]:
    """A prepared plan for all values of a filter walks through the newest orders: a million of them where few match (a
    rare status, a time a moment ago)."""
    with without_prepared_statements():
        return list(orders)


def _beyond(place: Place) -> Q:
    # The first condition is the one that an index can seek to; the second settles equal times.
    if place.backwards:
        return Q(created_at__gte=place.created_at) & (
            Q(created_at__gt=place.created_at) | Q(id__gt=place.order_id)
        )
    return Q(created_at__lte=place.created_at) & (
        Q(created_at__lt=place.created_at) | Q(id__lt=place.order_id)
    )


def _url(request: Request, order: Order, *, backwards: bool) -> str:
    return page_url(request, str(Place(order.created_at, order.id, backwards)))


def page_url(request: Request, cursor: str) -> str:
    """The address of this request with another cursor."""
    query: list[tuple[str, list[str]]] = list(request.query_params.lists())
    others = [(name, value) for name, values in query if name != "cursor" for value in values]
    return request.build_absolute_uri(f"{request.path}?{urlencode([*others, ('cursor', cursor)])}")
