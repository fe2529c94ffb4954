"""The order API: DRF views over `orders.services`."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, HttpResponseNotModified
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api import ApiView, actor_of, etag, expected_versions, grant_of, kitchen_of, not_modified
from core.idempotency import idempotent
from core.problems import Problem
from orders import feed, serializers, services
from orders.amendments import ItemAmendment, amend_order
from orders.api import schema
from orders.api.inputs import OrderIn
from orders.api.kitchens import kitchen_for
from orders.api.paging import page_of
from orders.api.patches import ItemPatch, OrderPatch, RecallIn
from orders.api.problems import order_url, refusal_problem
from orders.api.queries import EventQuery, ListQuery, filtered
from orders.errors import Refusal
from orders.ids import public_id, stored_ids
from orders.models import Order, OrderItem
from orders.recall import recall
from orders.statements import one_order


class OrderViewSet(ApiView, ViewSet):
    """Orders of the kitchens that the key may see."""

    required_scopes = {
        "create": "orders:write",
        "list": "orders:read",
        "retrieve": "orders:read",
        "partial_update": "orders:write",
        "update_item": "orders:write",
        "recall": "orders:recall",
        "events": "events:read",
    }

    @schema.create
    @idempotent
    def create(self, request: Request) -> HttpResponseBase:
        body = OrderIn.read(request.data)
        kitchen = kitchen_for(body.kitchen, kitchen_of(request))
        bound = kitchen_of(request)
        order = self._do(
            services.create_order,
            body.new(),
            kitchen=kitchen,
            actor=actor_of(request),
            own_ids=bound is not None,
        )
        response = self._answer(request, order, status=201)
        response["Location"] = order_url(public_id(order.id, bound))
        return response

    @schema.list_orders
    def list(self, request: Request) -> HttpResponseBase:
        query = ListQuery.read(request.query_params)
        orders = Order.objects.for_key(kitchen_of(request))
        # Most calls ask for no filter, and to apply none costs more than to read the page.
        parts = filtered(orders, query) if query.has_filters else None
        page = page_of(parts, request, query.limit, query.cursor)
        results = serializers.order_documents(page.orders, grant_of(request))
        return Response({"results": results, "next": page.next, "previous": page.previous})

    @schema.retrieve
    def retrieve(self, request: Request, id: str) -> HttpResponseBase:
        order = self._one(request, id, lambda stored: one_order(stored, kitchen_of(request)))
        if not_modified(request, etag(order.version)):
            return HttpResponseNotModified(headers={"ETag": etag(order.version)})
        return self._answer(request, order)

    @schema.partial_update
    @idempotent
    def partial_update(self, request: Request, id: str) -> HttpResponseBase:
        body = OrderPatch.read(request.data)
        who = self._who(request, body.reason)
        order = self._one(request, id, lambda stored: self._patched_order(stored, body, who))
        return self._answer(request, order)

    @staticmethod
    def _patched_order(id: str, body: OrderPatch, who: dict[str, Any]) -> Order:
        if not body.amends:
            # A transaction of its own, without savepoints.
            return services.move_order(id, body.status, **who)
        with transaction.atomic():
            order = amend_order(id, note=body.note, pickup_time=body.pickup_time, **who)
            if body.moves:
                # Its version was asked for already, and the row is locked since.
                order = services.move_order(id, body.status, **{**who, "expected": None})
        return order

    @schema.update_item
    @idempotent
    def update_item(self, request: Request, id: str, plu: str) -> HttpResponseBase:
        body = ItemPatch.read(request.data)
        who = self._who(request, body.reason)
        order, item = self._one(request, id, lambda stored: self._patched_item(stored, plu, body, who))
        return Response(serializers.item_document(order, item), headers={"ETag": etag(order.version)})

    @staticmethod
    def _patched_item(id: str, plu: str, body: ItemPatch, who: dict[str, Any]) -> tuple[Order, OrderItem]:
        if not body.amends:
            return services.move_item(id, plu, body.status, **who)
        with transaction.atomic():
            order = amend_order(id, items={plu: ItemAmendment(body.note, body.quantity)}, **who)
            if body.moves:
                return services.move_item(id, plu, body.status, **{**who, "expected": None})
        return order, services.find_item(order.loaded_items, plu)

    @schema.recall
    @idempotent
    def recall(self, request: Request, id: str) -> HttpResponseBase:
        body = RecallIn.read(request.data)
        who = self._who(request, body.reason)
        order = self._one(request, id, lambda stored: recall(stored, plu=body.plu, **who))
        return self._answer(request, order)

    @schema.events
    def events(self, request: Request) -> HttpResponseBase:
        query = EventQuery.read(request.query_params)
        page = feed.read(query.after, limit=query.limit, kitchen=kitchen_of(request))
        reader = grant_of(request)
        results = [serializers.event_document(event, reader) for event in page.events]
        return Response({"results": results, "next": page.cursor.for_clients(), "hasMore": page.more})

    @staticmethod
    def _who(request: Request, reason: str | None) -> dict[str, Any]:
        return {
            "actor": actor_of(request),
            "reason": reason or "",
            "kitchen": kitchen_of(request),
            "expected": expected_versions(request),
        }

    @classmethod
    def _one[T](cls, request: Request, id: str, work: Callable[[str], T]) -> T:
        """Run the domain's `work` on the order that the key calls by this id. Raises Problem 404."""
        for stored in stored_ids(id, kitchen_of(request)):
            with suppress(Order.DoesNotExist):
                return cls._do(work, stored)
        raise Problem("not_found", "There is no such order among those that this key may see.", status=404)

    @staticmethod
    def _do[**P, T](work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the domain's `work`; what it refuses becomes a problem."""
        try:
            return work(*args, **kwargs)
        except Refusal as refusal:
            raise refusal_problem(refusal) from None
        except OrderItem.DoesNotExist as error:
            raise Problem("not_found", str(error), status=404) from None

    @staticmethod
    def _answer(request: Request, order: Order, status: int = 200) -> HttpResponse:
        document = serializers.order_document(order, grant_of(request))
        return Response(document, status=status, headers={"ETag": etag(order.version)})
