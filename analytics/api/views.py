"""The analytics API: figures from the rollups, as JSON or CSV."""

import hashlib
from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple

from cachetools import TTLCache, cached
from django.http import HttpResponse
from django.utils.http import http_date, parse_http_date_safe
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from analytics import refresh as refreshing
from analytics import reports
from analytics.api import schema
from analytics.api.queries import CustomerQuery, HourQuery, ItemDurationQuery, OrderDurationQuery
from core import csvs, jsonio
from core.api import ApiView, kitchen_of, not_modified


class Answer(NamedTuple):
    """A body and its strong entity tag."""

    body: bytes
    etag: str


@cached(TTLCache(256, ttl=300), key=lambda question, place, make: (question, place), lock=Lock())
def _cached(question: Hashable, place: str, make: Callable[[], bytes]) -> Answer:
    """The answer when the rollups are at `place` of the change feed: figures change only when the rollups do, about
    once a minute. `make` builds the body of an answer that isn't cached."""
    body = make()
    return Answer(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


# What a call may take: a long backlog is for the worker.
REFRESH_SECONDS = 10
# RFC 9745: since 23 November 2026, when its successor was added.
DEPRECATED = {"Deprecation": "@1795392000", "Link": '</api/analytics/refresh>; rel="successor-version"'}


class AnalyticsViewSet(ApiView, ViewSet):
    """Figures of the kitchens that the key may see."""

    required_scopes = dict.fromkeys(
        (
            "order_status_durations",
            "item_status_durations",
            "hourly_throughput",
            "customer_order_counts",
            "refresh",
            "refresh_by_old_name",
        ),
        "analytics:read",
    )

    @schema.order_status_durations
    def order_status_durations(self, request: Request) -> HttpResponse:
        scope = OrderDurationQuery.read(request.query_params).scope(kitchen_of(request))
        return self._answer(request, "order-status-durations", reports.order_status_durations, scope)

    @schema.item_status_durations
    def item_status_durations(self, request: Request) -> HttpResponse:
        scope = ItemDurationQuery.read(request.query_params).scope(kitchen_of(request))
        return self._answer(request, "item-status-durations", reports.item_status_durations, scope)

    @schema.hourly_throughput
    def hourly_throughput(self, request: Request) -> HttpResponse:
        query = HourQuery.read(request.query_params)
        scope = query.scope(kitchen_of(request))
        return self._answer(request, "hourly-throughput", reports.hourly_throughput, scope, query.limit)

    @schema.customer_order_counts
    def customer_order_counts(self, request: Request) -> HttpResponse:
        query = CustomerQuery.read(request.query_params)
        scope = query.scope(kitchen_of(request))
        return self._answer(
            request, "customer-order-counts", reports.customer_order_counts, scope, query.limit
        )

    @schema.refresh
    def refresh(self, request: Request) -> HttpResponse:
        progress = refreshing.refresh(seconds=REFRESH_SECONDS)
        return Response(
            {
                "refreshedAt": progress.refreshed_at,
                "changes": progress.changes,
                "complete": progress.complete,
            },
            headers={
                "Last-Modified": http_date(progress.refreshed_at.timestamp()),
                "Cache-Control": "no-store",
            },
        )

    @schema.refresh_by_old_name
    def refresh_by_old_name(self, request: Request) -> HttpResponse:
        response = self.refresh(request)
        for name, value in DEPRECATED.items():
            response[name] = value
        return response

    @staticmethod
    def _answer(
        request: Request, name: str, report: Callable[..., reports.Report], *arguments: Any
    ) -> HttpResponse:
        media_type = request._request.get_preferred_type([jsonio.MEDIA_TYPE, csvs.MEDIA_TYPE])
        as_csv = media_type == csvs.MEDIA_TYPE

        def make() -> bytes:
            rows = report(*arguments)
            return csvs.dumps(rows, schema.COLUMNS[name]) if as_csv else jsonio.dumps(rows)

        place, refreshed_at = reports.progress()
        answer = _cached((name, as_csv, *arguments), place, make)
        if _is_known(request, answer.etag, refreshed_at):
            response = HttpResponse(status=304)
            del response["Content-Type"]
        elif as_csv:
            response = HttpResponse(answer.body, content_type=csvs.CONTENT_TYPE)
            response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        else:
            response = HttpResponse(answer.body, content_type=jsonio.MEDIA_TYPE)
        response["ETag"] = answer.etag
        if refreshed_at is not None:
            response["Last-Modified"] = http_date(refreshed_at.timestamp())
        response["Vary"] = "Accept"
        return response


def _is_known(request: Request, tag: str, refreshed_at: datetime | None) -> bool:
    """Whether the caller has these figures already (RFC 9110 §13.2.2: a tag is judged before a time)."""
    if "HTTP_IF_NONE_MATCH" in request.META:
        return not_modified(request, tag)
    since = parse_http_date_safe(request.META.get("HTTP_IF_MODIFIED_SINCE", ""))
    return since is not None and refreshed_at is not None and int(refreshed_at.timestamp()) <= since
