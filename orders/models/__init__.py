from orders.models.history import FeedOffset, StatusChange
from orders.models.kitchens import Brand, Kitchen
from orders.models.orders import Order, OrderItem

__all__ = ["Brand", "FeedOffset", "Kitchen", "Order", "OrderItem", "StatusChange"]
