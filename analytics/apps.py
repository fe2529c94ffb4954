from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = _("Analytics")

    def ready(self) -> None:
        from analytics.receivers import account_renamed_receiver
        from orders.models import Order
        from orders.signals import account_renamed

        account_renamed.connect(
            account_renamed_receiver, sender=Order, dispatch_uid="analytics.account_renamed"
        )
