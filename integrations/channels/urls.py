from django.urls import re_path

from integrations.channels.views import DeliverectOrders, GenericOrders

urlpatterns = [
    re_path(r"^channels/deliverect/orders/?$", DeliverectOrders.as_view()),
    re_path(r"^channels/generic/(?P<link>[a-z0-9-]{1,50})/orders/?$", GenericOrders.as_view()),
]
