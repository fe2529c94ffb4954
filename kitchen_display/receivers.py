"""What the display does when something changes that its screens show."""

from typing import Any

from django.db import transaction

from kitchen_display import hints
from kitchen_display.alarms import raise_alarms, raise_amended, redact_notes
from kitchen_display.configuration import forget_kitchen_configs
from kitchen_display.models import Screen
from orders.models import Amendment, Brand, Change, Kitchen, KitchenPace, Order


def order_changed_receiver(sender: type[Order], order: Order, change: Change, **_: Any) -> None:
    """Of `orders.signals.order_changed`: alarms with the change, a hint to the screens after it."""
    raise_alarms(order, change)
    hints.publish_on_commit(order.kitchen_id)


def order_amended_receiver(sender: type[Order], order: Order, amendment: Amendment, **_: Any) -> None:
    """Of `orders.signals.order_amended`: the same."""
    raise_amended(order, amendment)
    hints.publish_on_commit(order.kitchen_id)


def customer_data_removed_receiver(sender: type[Order], order_ids: list[str], **_: Any) -> None:
    """Of `orders.signals.customer_data_removed`: alarms hold notes as they were before an amendment."""
    redact_notes(order_ids)


def kitchen_saved(sender: type[Kitchen], instance: Kitchen, **_: Any) -> None:
    """Of `post_save`: its name, time zone, time of release and opening hours are on its screens."""
    transaction.on_commit(forget_kitchen_configs)
    hints.publish_on_commit(instance.pk, hints.SCREENS)


def screen_deleted(sender: type[Screen], instance: Screen, **_: Any) -> None:
    """Of `post_delete`: its browser is refused from now on, and its stream ends."""
    hints.end_pairing_on_commit(instance.kitchen_id, instance.pairing)


def pace_changed_receiver(sender: type[KitchenPace], pace: KitchenPace, **_: Any) -> None:
    """Of `orders.signals.pace_changed`: every wall of the kitchen shows that it is busy or paused."""
    hints.publish_on_commit(pace.kitchen_id, hints.SCREENS)


def brand_changed(sender: type[Brand], **_: Any) -> None:
    """Of `post_save` and `post_delete`: any kitchen may cook for it."""
    transaction.on_commit(forget_kitchen_configs)
    for kitchen in Screen.objects.watching().values_list("kitchen_id", flat=True).distinct():
        hints.publish_on_commit(kitchen, hints.SCREENS)
