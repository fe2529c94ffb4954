from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from orders import checks  # noqa: F401  (registers the system checks)
        from orders.audit import forget_customer
        from orders.history import record_history
        from orders.models import Order
        from orders.signals import customer_erased

        post_save.connect(record_history, sender=Order, dispatch_uid="orders.record_history")
        customer_erased.connect(forget_customer, sender=Order, dispatch_uid="orders.forget_customer")
