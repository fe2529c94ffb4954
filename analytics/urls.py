"""Addresses of the analytics API, each with and without a trailing slash, and of the dashboard, below the admin's."""

from django.contrib import admin
from django.urls import path, re_path

from analytics.api.views import AnalyticsViewSet
from analytics.dashboard import views

_READS = {
    "order-status-durations": "order_status_durations",
    "item-status-durations": "item_status_durations",
    "hourly-throughput": "hourly_throughput",
    "customer-order-counts": "customer_order_counts",
    # The old name of refresh.
    "refresh-materialized-views": "refresh_by_old_name",
}

api_urls = [
    *(
        re_path(rf"^analytics/{name}/?$", AnalyticsViewSet.as_view({"get": action}))
        for name, action in _READS.items()
    ),
    re_path(r"^analytics/refresh/?$", AnalyticsViewSet.as_view({"post": "refresh"})),
]
dashboard_urls = [
    path("", admin.site.admin_view(views.dashboard), name="analytics-dashboard"),
    path("<slug:panel>.csv", admin.site.admin_view(views.panel_csv), name="analytics-panel-csv"),
]
