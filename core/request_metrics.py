"""Counts of web's requests with their times, by route, and of logins. Each process counts; a scrape adds them up."""

from __future__ import annotations

import os
from functools import cache
from typing import Final

from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from core.metrics_folder import VARIABLE

# Seconds. Most calls take 1 to 20 ms; a second is where people begin to wait.
BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS: Final = Histogram(
    "huuva_http_request_seconds",
    "Time from a request's arrival in web to its answer.",
    ("method", "route", "status"),
    buckets=BUCKETS,
)
TURNED_AWAY: Final = Counter(
    "huuva_http_turned_away",
    "Requests that web's server answered itself: too slow, too large, or no thread was free in time.",
    ("code",),
)
for _code in ("body_too_large", "body_too_slow", "invalid_json", "internal_error", "too_busy"):
    TURNED_AWAY.labels(_code)  # starts at zero, so that the first one is an increase
LOGINS: Final = Counter(
    "huuva_logins",
    "Logins that were tried: right, wrong, refused by a limit, or busy, where others were being checked.",
    ("outcome",),
)
for _outcome in ("right", "wrong", "refused", "busy"):
    LOGINS.labels(_outcome)  # starts at zero, so that the first one is an increase


def observe(request: HttpRequest, status: int, seconds: float) -> None:
    """Count one answer. The label is the route, not the path, which holds ids."""
    match = request.resolver_match
    route = _route(match.route) if match is not None else "unknown"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, route, str(status)).observe(seconds)


@cache
def _route(pattern: str) -> str:
    """A pattern as people read it on a chart: `/api/orders/<id>`."""
    return simplify_regex(pattern).replace("\\.", ".").removesuffix("/") or "/"


def exposition() -> str:
    """The metrics of all processes of web, in the text format of Prometheus."""
    registry = CollectorRegistry()
    if os.environ.get(VARIABLE):
        MultiProcessCollector(registry)
    else:
        registry.register(REQUESTS)
        registry.register(LOGINS)
        registry.register(TURNED_AWAY)
    return generate_latest(registry).decode()
