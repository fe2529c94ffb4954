from orders.models.amendments import Amendment
from orders.models.history import FeedOffset, StatusChange
from orders.models.kitchens import Brand, Kitchen
from orders.models.orders import Order, OrderItem

__all__ = ["Amendment", "Brand", "FeedOffset", "Kitchen", "Order", "OrderItem", "StatusChange"]
