"""Search in orders at a cost that doesn't grow with the table."""

from django.db.models import Q, QuerySet

from orders.models import Order

# Customers' names, phones and display numbers have no index: they are looked for among the latest orders only.
LATEST = 10_000
MOST = 500
# Fewer letters would say little about an id.
PREFIX = 6


def found_ids(term: str) -> list[str]:
    """The ids of the newest orders that a manager may mean, `MOST` for each way to mean them; one statement.

    Whole: channel order id, account. Whole or its beginning: the order's own id. Among the latest orders: display
    number with or without `#`, a part of the customer's name, a part of the phone number written in any way.
    """
    newest = Order.objects.newest_first()
    own_id = Q(id__startswith=term) if len(term) >= PREFIX else Q(id=term)
    ways: list[QuerySet[Order]] = [
        Order.objects.filter(own_id).order_by("id"),
        newest.filter(channel_order_id=term),
        newest.filter(account=term),
        Order.objects.filter(_of_latest(term), pk__in=newest.values("pk")[:LATEST]).order_by("-created_at"),
    ]
    first, *others = (way.values_list("pk", flat=True)[:MOST] for way in ways)
    return list(first.union(*others))


def _of_latest(term: str) -> Q:
    number = term.removeprefix("#")
    wanted = Q(channel_display_id__in={number, f"#{number}"}) | Q(customer_name__icontains=term)
    digits = "".join(letter for letter in term if letter.isdigit())
    if len(digits) >= 4 and not any(letter.isalpha() for letter in term):
        wanted |= Q(customer_phone__contains=digits.lstrip("0"))
    return wanted
