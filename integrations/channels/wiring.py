"""How channels are wired to the rest when the application starts."""

from core.gauges import register_gauge
from integrations import deliveries
from integrations.adapters.registry import KINDS
from integrations.channels import (
    metrics,
    schema,  # noqa: F401 (drf-spectacular finds its extensions by their class being imported)
)
from integrations.channels.admin.front import channel_alerts
from integrations.channels.outbound import ChannelUpdates, tell_pace
from integrations.channels.purging import forget_customers, forget_refused
from integrations.models.channels import KIND, ChannelLink
from orders.admin.sections import register_alerts
from orders.ids import register_channel_prefix_check
from orders.signals import customer_data_removed, customer_erased, pace_changed


def is_channel_prefix(prefix: str) -> bool:
    """Slugs of links, switched off ones too; and kinds, which are what first links are called."""
    return prefix in KINDS or ChannelLink.objects.filter(slug=prefix).exists()


def connect() -> None:
    register_channel_prefix_check(is_channel_prefix)
    deliveries.register(KIND, ChannelUpdates())
    pace_changed.connect(tell_pace, dispatch_uid="integrations.tell_pace")
    customer_data_removed.connect(forget_customers, dispatch_uid="integrations.forget_customers")
    customer_erased.connect(forget_refused, dispatch_uid="integrations.forget_refused")
    register_alerts(channel_alerts)
    register_gauge(
        "huuva_channel_messages_last_hour",
        "Messages of channels in the last hour, by what became of them.",
        metrics.message_samples,
    )
    register_gauge(
        "huuva_channel_locations_unknown",
        "Places that channels have named and that have no kitchen.",
        metrics.unknown_samples,
    )
    register_gauge(
        "huuva_channel_messages_waiting",
        "Refused messages that nobody has dealt with.",
        metrics.waiting_samples,
    )
