from orders.models.access import KitchenMember
from orders.models.amendments import Amendment
from orders.models.history import FeedOffset, StatusChange
from orders.models.kitchens import Brand, Kitchen
from orders.models.orders import Order, OrderItem

__all__ = [
    "Amendment",
    "Brand",
    "FeedOffset",
    "Kitchen",
    "KitchenMember",
    "Order",
    "OrderItem",
    "StatusChange",
]
