from orders.models.amendments import Amendment
from orders.models.changes import Change
from orders.models.erasures import Erasure
from orders.models.history import HISTORY_COLUMNS, AnyEntry, FeedOffset, HistoryEntry, StatusChange
from orders.models.hours import ClosedDays, OpeningHours
from orders.models.kitchens import Brand, Kitchen, KitchenMember
from orders.models.orders import Order, OrderItem
from orders.models.pace import KitchenPace, PaceMode

__all__ = [
    "HISTORY_COLUMNS",
    "Amendment",
    "AnyEntry",
    "Brand",
    "Change",
    "ClosedDays",
    "Erasure",
    "FeedOffset",
    "HistoryEntry",
    "Kitchen",
    "KitchenMember",
    "KitchenPace",
    "OpeningHours",
    "Order",
    "OrderItem",
    "PaceMode",
    "StatusChange",
]
