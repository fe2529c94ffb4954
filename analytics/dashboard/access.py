"""Who sees the dashboard, and of which kitchens. All its reads go through `visible_kitchens`."""

from collections.abc import Sequence
from typing import Any

from orders.access import kitchens_of
from orders.models import Kitchen


def may_see(user: Any) -> bool:
    """Whoever sees all orders may see their sums; `analytics.view_dashboard` allows the sums alone."""
    return bool(
        user.is_active
        and user.is_staff
        and (user.has_perm("orders.view_order") or user.has_perm("analytics.view_dashboard"))
    )


def may_open_orders(user: Any) -> bool:
    """Whether links to orders and lists of them lead anywhere."""
    return bool(user.has_perm("orders.view_order"))


def visible_kitchens(user: Any, kitchens: Sequence[Kitchen]) -> list[Kitchen]:
    """Of all kitchens those whose figures the user may see; the one place that decides it."""
    if not may_see(user):
        return []
    allowed = kitchens_of(user)
    return [kitchen for kitchen in kitchens if allowed is None or kitchen.slug in allowed]
