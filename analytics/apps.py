from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = _("Analytics")

    def ready(self) -> None:
        from analytics.refresh import age_seconds, lag_seconds, rename_account
        from core.gauges import register_gauge
        from orders.models import Order
        from orders.signals import account_renamed

        account_renamed.connect(rename_account, sender=Order, dispatch_uid="analytics.account_renamed")

        def age() -> list[tuple[dict[str, str], float]]:
            seconds = age_seconds()
            return [] if seconds is None else [({}, seconds)]

        register_gauge(
            "huuva_analytics_age_seconds",
            "Time since the last refresh of analytics; missing if there was none.",
            age,
        )
        register_gauge(
            "huuva_analytics_lag_seconds",
            "Age of the oldest change that analytics has not counted yet.",
            lambda: [({}, lag_seconds())],
        )
