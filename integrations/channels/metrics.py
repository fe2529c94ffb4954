"""Gauges of channels, for /metrics: what came of messages, and what waits for somebody.

What goes out is counted by deliveries.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count

from integrations.channels.intake import trouble
from integrations.models import ChannelLink, ChannelLocation, ChannelMessage
from orders import clock

type Sample = tuple[dict[str, str], float]


def message_samples() -> Iterable[Sample]:
    """From the index by time; it costs what came in the last hour."""
    slugs = dict(ChannelLink.objects.values_list("pk", "slug"))
    rows = (
        ChannelMessage.objects.filter(at__gte=clock.now() - timedelta(hours=1))
        .values_list("link_id", "outcome")
        .annotate(count=Count("pk"))
        .order_by("link_id", "outcome")
    )
    return [({"channel": slugs[link], "outcome": outcome}, count) for link, outcome, count in rows]


def unknown_samples() -> Iterable[Sample]:
    return [({}, ChannelLocation.objects.filter(kitchen=None).count())]


def waiting_samples() -> Iterable[Sample]:
    return [({}, trouble().count())]
