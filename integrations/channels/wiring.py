"""Connects channels with the rest when the application starts: deliveries, signals, alerts and gauges."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count

from core.gauges import register_gauge
from integrations import deliveries
from integrations.adapters.registry import KINDS
from integrations.channels import schema  # noqa: F401  (drf-spectacular finds its extensions by their import)
from integrations.channels.admin.front import channel_alerts
from integrations.channels.outbound import ChannelUpdates, notify_pace
from integrations.channels.purging import forget_customers, forget_refused
from integrations.models.channels import KIND, ChannelLink, ChannelLocation, ChannelMessage
from orders import clock
from orders.admin.sections import register_alerts
from orders.ids import register_channel_prefix_check
from orders.signals import customer_data_removed, customer_erased, pace_changed

type Sample = tuple[dict[str, str], float]


def connect() -> None:
    register_channel_prefix_check(is_channel_prefix)
    deliveries.register(KIND, ChannelUpdates())
    pace_changed.connect(notify_pace, dispatch_uid="integrations.notify_pace")
    customer_data_removed.connect(forget_customers, dispatch_uid="integrations.forget_customers")
    customer_erased.connect(forget_refused, dispatch_uid="integrations.forget_refused")
    register_alerts(channel_alerts)
    register_gauge(
        "huuva_channel_messages_last_hour",
        "Messages of channels in the last hour, by outcome.",
        message_samples,
    )
    register_gauge(
        "huuva_channel_locations_unknown",
        "Locations that channels have named and that have no kitchen.",
        unknown_location_samples,
    )
    register_gauge(
        "huuva_channel_messages_waiting",
        "Refused messages that nobody has dealt with.",
        waiting_samples,
    )


def is_channel_prefix(prefix: str) -> bool:
    """Whether ids of channel orders may begin with it: slugs of links, inactive ones too, and kinds, the usual first
    slugs."""
    return prefix in KINDS or ChannelLink.objects.filter(slug=prefix).exists()


def message_samples() -> Iterable[Sample]:
    """From the index by time: the cost follows the messages of the last hour."""
    slugs = dict(ChannelLink.objects.values_list("pk", "slug"))
    rows = (
        ChannelMessage.objects.filter(at__gte=clock.now() - timedelta(hours=1))
        .values_list("link_id", "outcome")
        .annotate(count=Count("pk"))
        .order_by("link_id", "outcome")
    )
    return [({"channel": slugs[link], "outcome": outcome}, count) for link, outcome, count in rows]


def unknown_location_samples() -> Iterable[Sample]:
    return [({}, ChannelLocation.objects.filter(kitchen=None).count())]


def waiting_samples() -> Iterable[Sample]:
    return [({}, ChannelMessage.objects.unsettled().count())]
