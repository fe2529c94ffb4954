"""The description of the analytics API: each operation with its examples and every problem it can answer with."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from analytics.api.outputs import (
    CustomerOrderCounts,
    HourlyThroughputs,
    ItemStatusDurations,
    OrderStatusDurations,
    Refreshed,
)
from analytics.api.queries import CustomerQuery, HourQuery, ItemDurationQuery, OrderDurationQuery
from core import csvs
from core.openapi import parameters, problems
from core.queries import Query

_DURATION = {
    "avgDurationSeconds": 512.4,
    "count": 1240,
    "p50Seconds": 478.1,
    "p90Seconds": 812.6,
    "p95Seconds": 961.9,
}
_ORDERS = [
    {"status": "RECEIVED", **_DURATION},
    {"status": "PREPARING", **_DURATION},
    {"status": "READY", **_DURATION},
]
_ITEMS = [{"status": "ORDERED", **_DURATION}, *_ORDERS[1:]]
_HOURS = [
    {
        "hour": "2026-05-01T18:00:00Z",
        "orderCount": 84,
        "itemCount": 231,
        "cancelledCount": 2,
        "recalledCount": 5,
        "lateCount": 9,
        "pickupWaitCount": 80,
        "avgPickupWaitSeconds": 194.25,
    }
]
_CUSTOMERS = [
    {
        "account": "60bfc6dc4887c9851d5a0246",
        "orderCount": 17,
        "firstOrderAt": "2026-02-11T17:42:08Z",
        "lastOrderAt": "2026-05-01T18:05:00Z",
    }
]
_REFRESHED = {"refreshedAt": "2026-05-01T18:06:00.125Z", "changes": 214, "complete": True}

# The examples' keys are the columns of the CSV.
COLUMNS = {name: tuple(rows[0]) for name, rows in {
    "order-status-durations": _ORDERS,
    "item-status-durations": _ITEMS,
    "hourly-throughput": _HOURS,
    "customer-order-counts": _CUSTOMERS,
}.items()}  # fmt: skip


def _headers(*statuses: int) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(
            "Last-Modified",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            response=[*statuses],
            description="When the figures were last refreshed.",
        )
    ]


_TAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description="Changes when the figures do, not with every refresh.",
)
_CONDITIONS = [
    OpenApiParameter(
        "If-None-Match",
        {"type": "string"},
        OpenApiParameter.HEADER,
        description="The ETag of your last read; 304 without a body if these figures are the same.",
    ),
    OpenApiParameter(
        "If-Modified-Since",
        {"type": "string"},
        OpenApiParameter.HEADER,
        description="The Last-Modified of your last read; 304 if there was no refresh since. If-None-Match goes first.",
    ),
]


def _report(
    name: str,
    shape: Any,
    value: Sequence[dict[str, Any]],
    query: type[Query],
    **texts: Any,
) -> Any:
    columns = COLUMNS[name]
    return extend_schema(
        tags=["analytics"],
        parameters=[*parameters(query), *_CONDITIONS, *_headers(200, 304), _TAG],
        responses={
            (200, "application/json"): OpenApiResponse(
                shape,
                description="The figures, as JSON or, with Accept: text/csv, as CSV with the same names.",
                examples=[
                    OpenApiExample("Example", value=value, response_only=True, media_type="application/json")
                ],
            ),
            (200, csvs.MEDIA_TYPE): OpenApiResponse(
                OpenApiTypes.STR,
                examples=[
                    OpenApiExample(
                        "As CSV",
                        value=csvs.dumps(value, columns).decode(),
                        response_only=True,
                        media_type=csvs.MEDIA_TYPE,
                    )
                ],
            ),
            304: OpenApiResponse(description="You have these figures already."),
            **problems(invalid_parameter_400="Parameters are unknown or can't be read; errors names each."),
        },
        **texts,
    )


order_status_durations = _report(
    "order-status-durations",
    OrderStatusDurations,
    _ORDERS,
    OrderDurationQuery,
    operation_id="getOrderStatusDurations",
    summary="How long orders stand in each status",
    description="Times in RECEIVED, PREPARING and READY that have ended, by the hour (UTC) in which they ended.",
)
item_status_durations = _report(
    "item-status-durations",
    ItemStatusDurations,
    _ITEMS,
    ItemDurationQuery,
    operation_id="getItemStatusDurations",
    summary="How long items stand in each status",
    description="Times in ORDERED, PREPARING and READY that have ended, by the hour (UTC) in which they ended.",
)
hourly_throughput = _report(
    "hourly-throughput",
    HourlyThroughputs,
    _HOURS,
    HourQuery,
    operation_id="getHourlyThroughput",
    summary="Orders by the hour of their creation",
    description="The latest hours (UTC) that have orders, newest first.",
)
customer_order_counts = _report(
    "customer-order-counts",
    CustomerOrderCounts,
    _CUSTOMERS,
    CustomerQuery,
    operation_id="getCustomerOrderCounts",
    summary="The customers with the most orders",
)

_DONE: dict[Any, OpenApiResponse] = {
    200: OpenApiResponse(
        Refreshed,
        description="The figures are as new as can be.",
        examples=[OpenApiExample("Example", value=_REFRESHED, response_only=True)],
    ),
    **problems(),
}
refresh = extend_schema(
    operation_id="refreshAnalytics",
    summary="Refresh the figures now",
    description="They are refreshed each minute anyway. May be called at any time, and by many at once.",
    tags=["analytics"],
    request=None,
    parameters=_headers(200),
    responses=_DONE,
)
refresh_by_old_name = extend_schema(
    operation_id="refreshAnalyticsByOldName",
    summary="Refresh the figures now (old name)",
    description="Use POST /analytics/refresh.",
    deprecated=True,
    tags=["analytics"],
    parameters=[
        *_headers(200),
        OpenApiParameter(
            "Deprecation",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            response=[200],
            description="Since when, as RFC 9745 says; Link names the successor.",
        ),
    ],
    responses=_DONE,
)
