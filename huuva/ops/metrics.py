"""GET /metrics for Prometheus: the state of the kitchens, from the database, and the requests of all web processes of
this machine, so that each process answers the same."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from datetime import datetime

import django
from django.db.models import Count, F, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client.core import Metric

from core import request_metrics
from core.gauges import CONTENT_TYPE, exposition, gauge, registered
from core.http.views import read_only
from huuva.ops.backups import record as backup_record
from huuva.ops.health import beat_age
from orders import feed
from orders.models import Order
from orders.models.querysets import is_late_at
from orders.statuses import OPEN, ORDER_NAMES


@read_only
def metrics(request: HttpRequest) -> HttpResponse:
    """Reads the index of open orders, so a scrape costs what is open. Without the database: 503."""
    text = exposition(_collected(timezone.now())) + request_metrics.exposition()
    return HttpResponse(text, content_type=CONTENT_TYPE)


def _collected(now: datetime) -> Iterator[Metric]:
    rows = list(
        Order.objects.filter(status__in=OPEN)
        .values(kitchen_slug=F("kitchen_id"), state=F("status"))
        .annotate(
            orders=Count("pk"),
            late=Count("pk", filter=is_late_at(now)),
            oldest=Min("created_at"),
        )
        .order_by("kitchen_slug", "state")
    )
    yield gauge(
        "huuva_orders_open",
        "Open orders.",
        (({"kitchen": r["kitchen_slug"], "status": ORDER_NAMES[r["state"]]}, r["orders"]) for r in rows),
    )
    late: dict[str, int] = {}
    oldest: dict[str, datetime] = {}
    for row in rows:
        slug = row["kitchen_slug"]
        late[slug] = late.get(slug, 0) + row["late"]
        oldest[slug] = min(oldest.get(slug, now), row["oldest"])
    yield gauge(
        "huuva_orders_late",
        "Orders that are due and not ready.",
        (({"kitchen": slug}, count) for slug, count in late.items()),
    )
    yield gauge(
        "huuva_orders_oldest_open_age_seconds",
        "Age of the oldest open order.",
        (({"kitchen": slug}, (now - created).total_seconds()) for slug, created in oldest.items()),
    )
    yield gauge(
        "huuva_feed_lag_seconds",
        "Age of the oldest row of history that readers of the feed can't see yet.",
        [({}, feed.lag_seconds())],
    )
    age = beat_age()
    yield gauge(
        "huuva_beat_age_seconds",
        "Time since a worker ran what beat had sent; missing if it never did.",
        [] if age is None else [({}, age)],
    )
    yield from _backups()
    yield from registered()
    yield gauge(
        "huuva_build_info",
        "Versions, always 1.",
        [({"django": django.get_version(), "python": platform.python_version()}, 1)],
    )


def _backups() -> Iterator[Metric]:
    record = backup_record.last()
    for name, text, at in (
        ("success", "the last good backup was made", record.succeeded_at if record else None),
        ("failure", "a backup last failed", record.failed_at if record else None),
    ):
        yield gauge(
            f"huuva_backup_last_{name}_timestamp_seconds",
            f"When {text}, in Unix time; missing if never.",
            [] if at is None else [({}, at.timestamp())],
        )
