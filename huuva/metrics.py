"""GET /metrics: what the kitchens look like now, and web's requests, as Prometheus reads it. The former comes from the
database and the latter from all processes of this web part, so that each of them answers the same."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import django
from django.db.models import Count, F, Min, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from huuva import request_metrics
from huuva.backups import record as backup_record
from huuva.health import beat_age, read_only
from orders import feed
from orders.models import Order
from orders.statuses import OPEN, ORDER_NAMES, UNREADY

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, str], float]
# What other apps add: name, kind, explanation, and what gives the samples now.
_more: dict[str, tuple[str, str, Callable[[], Iterable[Sample]]]] = {}


def register_gauge(name: str, text: str, samples: Callable[[], Iterable[Sample]]) -> None:
    """For an app's `ready()`: a gauge of its own, asked at each scrape."""
    _more[name] = ("gauge", text, samples)


def register_counter(name: str, text: str, samples: Callable[[], Iterable[Sample]]) -> None:
    """As `register_gauge`, for sums that are stored and never fall: Prometheus takes a fall for a restart."""
    _more[name] = ("counter", text, samples)


@read_only
def metrics(request: HttpRequest) -> HttpResponse:
    """Answers from the index of open orders, so a scrape costs what is open. Without the database: 503."""
    lines = [*_lines(timezone.now()), request_metrics.exposition(), ""]
    return HttpResponse("\n".join(lines), content_type=CONTENT_TYPE)


def _lines(now: datetime) -> Iterator[str]:
    rows = list(
        Order.objects.filter(status__in=OPEN)
        .values(kitchen_slug=F("kitchen_id"), state=F("status"))
        .annotate(
            orders=Count("pk"),
            late=Count("pk", filter=Q(due_at__lt=now, status__in=UNREADY)),
            oldest=Min("created_at"),
        )
        .order_by("kitchen_slug", "state")
    )
    yield from _gauge(
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
    yield from _gauge(
        "huuva_orders_late",
        "Orders that are due and not ready.",
        (({"kitchen": slug}, count) for slug, count in late.items()),
    )
    yield from _gauge(
        "huuva_orders_oldest_open_age_seconds",
        "Age of the oldest open order.",
        (({"kitchen": slug}, (now - created).total_seconds()) for slug, created in oldest.items()),
    )
    yield from _gauge(
        "huuva_feed_lag_seconds",
        "Age of the oldest row of history that readers of the feed can't see yet.",
        [({}, feed.lag_seconds())],
    )
    age = beat_age()
    yield from _gauge(
        "huuva_beat_age_seconds",
        "Time since a worker ran what beat had sent; missing where that has never been.",
        [] if age is None else [({}, age)],
    )
    yield from _backups()
    for name, (kind, text, samples) in _more.items():
        yield from _metric(name, kind, text, samples())
    yield from _gauge(
        "huuva_build_info",
        "Versions, always 1.",
        [({"django": django.get_version(), "python": platform.python_version()}, 1)],
    )


def _backups() -> Iterator[str]:
    record = backup_record.last()
    for name, text, at in (
        ("success", "the last good backup was made", record.succeeded_at if record else None),
        ("failure", "a backup last failed", record.failed_at if record else None),
    ):
        yield from _gauge(
            f"huuva_backup_last_{name}_timestamp_seconds",
            f"When {text}, in Unix time; missing where that has never been.",
            [] if at is None else [({}, at.timestamp())],
        )


def _gauge(name: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    return _metric(name, "gauge", text, samples)


def _metric(name: str, kind: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        shown = ",".join(f'{label}="{_escaped(content)}"' for label, content in labels.items())
        # Enough digits for a time in milliseconds.
        yield f"{name}{{{shown}}} {value:.15g}" if shown else f"{name} {value:.15g}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
