"""What a user of the admin may see and do: which kitchens, and whether customers' data."""

from typing import Any

from orders.models import KitchenMember

WORK_EVERYWHERE = "orders.work_everywhere"
VIEW_CUSTOMER = "orders.view_customer"
MOVE = "orders.move_order"
EXPORT = "orders.export_order"
SET_POLICY = "orders.set_kitchen_policy"
ERASE_CUSTOMER = "orders.erase_customer"


def actor_of(user: Any) -> str:
    """A user's name in histories, such as `user:anna`."""
    return f"user:{user.get_username()}"


def kitchens_of(user: Any) -> frozenset[str] | None:
    """The slugs of the kitchens that a user may see; None: all. Read once for each request's user."""
    if user.has_perm(WORK_EVERYWHERE):
        return None
    if not hasattr(user, "_kitchen_slugs"):
        slugs = KitchenMember.objects.filter(user=user.pk).values_list("kitchen_id", flat=True)
        user._kitchen_slugs = frozenset(slugs)
    kitchens: frozenset[str] = user._kitchen_slugs
    return kitchens


def sees_customers(user: Any) -> bool:
    """Whether this user may see names, phone numbers, addresses and notes."""
    return bool(user.has_perm(VIEW_CUSTOMER))
