"""The URLs to which channels send their orders."""

from typing import Any, cast

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import ApiView
from integrations.adapters.base import Adapter
from integrations.adapters.registry import ADAPTERS
from integrations.channels import schema
from integrations.channels.authentication import FromLink, SignedByLink
from integrations.channels.intake import Outcome, process_message
from integrations.idempotency import REPLAYED
from integrations.models.channels import ChannelLink


class ChannelOrdersView(ApiView, APIView):
    """Takes messages of one kind of channel. The intake reads the body from the bytes that were signed."""

    authentication_classes = [SignedByLink]
    permission_classes = [FromLink]
    throttle_classes: list[Any] = []
    body_required = True
    adapter: Adapter

    def receive(self, request: Request) -> HttpResponseBase:
        http = request._request
        result, _message = process_message(
            cast(ChannelLink, request.user),
            http.body,
            request_id=getattr(http, "request_id", ""),
        )
        if result.problem is not None:
            raise result.problem
        repeated = result.outcome is Outcome.REPEATED
        return Response(result.body, headers={REPLAYED: "true"} if repeated else None)


class DeliverectOrders(ChannelOrdersView):
    adapter = ADAPTERS["deliverect"]

    @schema.deliverect
    def post(self, request: Request) -> HttpResponseBase:
        return self.receive(request)


class GenericOrders(ChannelOrdersView):
    adapter = ADAPTERS["generic"]

    @schema.generic
    def post(self, request: Request, link: str) -> HttpResponseBase:
        return self.receive(request)
