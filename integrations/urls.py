"""URLs of integrations, each with and without a trailing slash."""

from django.urls import re_path

from integrations.api.webhook_views import WebhookViewSet
from integrations.channels.views import DeliverectOrders, GenericOrders

_ONE = r"^webhooks/(?P<id>[^/\x00]+)"

urlpatterns = [
    re_path(r"^channels/deliverect/orders/?$", DeliverectOrders.as_view()),
    re_path(r"^channels/generic/(?P<link>[a-z0-9-]{1,50})/orders/?$", GenericOrders.as_view()),
    re_path(r"^webhooks/?$", WebhookViewSet.as_view({"get": "list", "post": "create"})),
    re_path(
        _ONE + r"/?$",
        WebhookViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    re_path(_ONE + r"/rotate-secret/?$", WebhookViewSet.as_view({"post": "rotate_secret"})),
    re_path(_ONE + r"/test/?$", WebhookViewSet.as_view({"post": "test"})),
    re_path(_ONE + r"/replay/?$", WebhookViewSet.as_view({"post": "replay"})),
    re_path(_ONE + r"/deliveries/?$", WebhookViewSet.as_view({"get": "deliveries"})),
    re_path(_ONE + r"/deliveries/(?P<delivery>[^/\x00]+)/?$", WebhookViewSet.as_view({"get": "delivery"})),
]
