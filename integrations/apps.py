from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        # drf-spectacular finds its extensions by the import of their class.
        from core.gauges import register_counter, register_gauge
        from core.idempotency import use_store
        from integrations import (
            deliveries,
            openapi,  # noqa: F401
            stored_answers,
        )
        from integrations.admin.front import webhook_alerts
        from integrations.admin.traffic import order_traffic
        from integrations.deliveries import metrics
        from integrations.deliveries.purging import forget_answers
        from integrations.idempotency import IdempotencyStore
        from integrations.models.webhooks import KIND
        from integrations.webhooks.payloads import WebhookRenderer
        from orders.admin.sections import register_alerts, register_order_section
        from orders.signals import customer_data_removed, customer_erased

        use_store(IdempotencyStore())
        deliveries.register(KIND, WebhookRenderer())
        customer_data_removed.connect(forget_answers, dispatch_uid="integrations.forget_answers")
        customer_data_removed.connect(
            stored_answers.forget_customers, dispatch_uid="integrations.forget_kept_answers"
        )
        customer_erased.connect(
            stored_answers.forget_refused, dispatch_uid="integrations.forget_kept_refusals"
        )
        register_alerts(webhook_alerts)
        register_order_section(order_traffic)
        register_gauge("huuva_deliveries_waiting", "Deliveries waiting to be sent.", metrics.waiting_samples)
        register_gauge(
            "huuva_deliveries_oldest_waiting_seconds",
            "Age of the oldest waiting delivery.",
            metrics.oldest_samples,
        )
        register_gauge(
            "huuva_deliveries_unread_seconds",
            "Age of the oldest change without deliveries.",
            metrics.unread_samples,
        )
        register_counter(
            "huuva_delivery_tries_total",
            "Attempts of deliveries, by outcome.",
            metrics.outcome_samples,
        )
        register_gauge("huuva_sinks_disabled", "Disabled receivers.", metrics.disabled_samples)

        from integrations.channels import wiring

        wiring.connect()
