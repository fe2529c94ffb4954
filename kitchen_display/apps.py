from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KitchenDisplayConfig(AppConfig):
    name = "kitchen_display"
    verbose_name = _("Kitchen display")

    def ready(self) -> None:
        from huuva.metrics import register_gauge
        from kitchen_display.alarms import order_changed_receiver
        from kitchen_display.sightings import unseen_samples
        from orders.models import Order
        from orders.signals import order_changed

        order_changed.connect(
            order_changed_receiver, sender=Order, dispatch_uid="kitchen_display.order_changed"
        )
        register_gauge(
            "huuva_orders_unseen",
            "Orders to be made that no screen has shown within 15 s of their arrival.",
            unseen_samples,
        )
