"""Addresses of the order API, each with and without a trailing slash."""

from django.urls import re_path

from orders.api.views import OrderViewSet

# A NUL can't be in any id, and PostgreSQL could not even be asked for one.
_ORDER = r"^orders/(?P<id>[^/\x00]+)"

urlpatterns = [
    re_path(r"^orders/?$", OrderViewSet.as_view({"get": "list", "post": "create"})),
    re_path(r"^orders/events/?$", OrderViewSet.as_view({"get": "events"})),
    re_path(_ORDER + r"/?$", OrderViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    re_path(_ORDER + r"/recall/?$", OrderViewSet.as_view({"post": "recall"})),
    # A PLU may hold slashes and may end in one: the server hands us the path decoded.
    re_path(_ORDER + r"/items/(?P<plu>[^\x00]+)$", OrderViewSet.as_view({"patch": "update_item"})),
]
