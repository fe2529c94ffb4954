from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _


class KitchenDisplayConfig(AppConfig):
    name = "kitchen_display"
    verbose_name = _("Kitchen display")

    def ready(self) -> None:
        from core.gauges import register_gauge
        from kitchen_display.models import Screen
        from kitchen_display.receivers import (
            brand_changed,
            customer_data_removed_receiver,
            kitchen_saved,
            order_amended_receiver,
            order_changed_receiver,
            pace_changed_receiver,
            screen_deleted,
        )
        from kitchen_display.sightings import unseen_samples
        from orders.models import Brand, Kitchen, Order
        from orders.signals import customer_data_removed, order_amended, order_changed, pace_changed

        order_changed.connect(
            order_changed_receiver, sender=Order, dispatch_uid="kitchen_display.order_changed"
        )
        order_amended.connect(
            order_amended_receiver, sender=Order, dispatch_uid="kitchen_display.order_amended"
        )
        customer_data_removed.connect(
            customer_data_removed_receiver, sender=Order, dispatch_uid="kitchen_display.customer_data_removed"
        )
        pace_changed.connect(pace_changed_receiver, dispatch_uid="kitchen_display.pace_changed")
        post_save.connect(kitchen_saved, sender=Kitchen, dispatch_uid="kitchen_display.kitchen_saved")
        post_save.connect(brand_changed, sender=Brand, dispatch_uid="kitchen_display.brand_saved")
        post_delete.connect(brand_changed, sender=Brand, dispatch_uid="kitchen_display.brand_deleted")
        post_delete.connect(screen_deleted, sender=Screen, dispatch_uid="kitchen_display.screen_deleted")
        register_gauge(
            "huuva_orders_unseen",
            "Orders to be made that no screen has shown within 15 s of their arrival.",
            unseen_samples,
        )
