"""The managers' pages: kitchens and brands to set up, orders to look at."""

from orders.admin.brands import BrandAdmin
from orders.admin.kitchens import KitchenAdmin
from orders.admin.orders import OrderAdmin
from orders.admin.pace import KitchenPaceAdmin

__all__ = ["BrandAdmin", "KitchenAdmin", "KitchenPaceAdmin", "OrderAdmin"]
