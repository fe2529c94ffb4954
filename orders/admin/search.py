"""Search in orders at a cost that doesn't grow with the table."""

from datetime import UTC, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from orders.models import Order, OrderItem

# Customers' names, phones, display numbers and PLUs have no index: only the latest orders are searched for them.
LATEST = 10_000
MOST = 500
# A shorter prefix would match too many ids.
PREFIX = 6


def matching_ids(term: str, *, by_customer: bool = True) -> list[str]:
    """The ids of the newest orders that match, `MOST` for each kind of match; two statements.

    Whole: channel order id, account. Whole or its beginning: the order's own id. Among the latest orders: display
    number with or without `#`, the PLU of an item, and with `by_customer` a part of the customer's name, a part of the
    phone number written in any way.
    """
    newest = Order.objects.newest_first()
    own_id = Q(id__startswith=term) if len(term) >= PREFIX else Q(id=term)
    ways: list[QuerySet[Order]] = [
        Order.objects.filter(own_id).order_by("id"),
        newest.filter(channel_order_id=term),
        newest.filter(account=term),
        newest.filter(_of_latest(term, by_customer=by_customer), created_at__gte=_latest_since()),
    ]
    first, *others = (way.values_list("pk", flat=True)[:MOST] for way in ways)
    return list(first.union(*others))


def _latest_since() -> datetime:
    """When the `LATEST`th newest order was created: its own query, so that the planner uses the index by time."""
    times = Order.objects.newest_first().values_list("created_at", flat=True)
    return next(iter(times[LATEST - 1 : LATEST]), datetime.min.replace(tzinfo=UTC))


def _of_latest(term: str, *, by_customer: bool) -> Q:
    number = term.removeprefix("#")
    condition = Q(channel_display_id__in={number, f"#{number}"}) | Q(
        Exists(OrderItem.objects.filter(order_id=OuterRef("pk"), plu=term))
    )
    if len(number) == 4:
        # Where the channel gives no display number, walls show the end of its order id.
        condition |= Q(channel_display_id="", channel_order_id__endswith=number)
    if not by_customer:
        return condition
    condition |= Q(customer_name__icontains=term)
    # A number at home begins with 0, the same one from abroad with the country's.
    digits = "".join(letter for letter in term if letter.isdigit()).lstrip("0")
    if len(digits) >= 4 and not any(letter.isalpha() for letter in term):
        condition |= Q(customer_phone__contains=digits)
    return condition
