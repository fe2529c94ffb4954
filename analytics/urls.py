"""Addresses of the analytics API, each with and without a trailing slash."""

from django.urls import re_path

from analytics.api.views import AnalyticsViewSet

_READS = {
    "order-status-durations": "order_status_durations",
    "item-status-durations": "item_status_durations",
    "hourly-throughput": "hourly_throughput",
    "customer-order-counts": "customer_order_counts",
    # The old name of refresh.
    "refresh-materialized-views": "refresh_by_old_name",
}

urlpatterns = [
    *(
        re_path(rf"^analytics/{name}/?$", AnalyticsViewSet.as_view({"get": action}))
        for name, action in _READS.items()
    ),
    re_path(r"^analytics/refresh/?$", AnalyticsViewSet.as_view({"post": "refresh"})),
]
