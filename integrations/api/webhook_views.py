"""The webhook API: DRF views over `integrations.webhooks` and `integrations.deliveries`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponseBase
from pydantic.alias_generators import to_camel
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api import ApiView
from core.bodies import invalid_body
from core.problems import FieldError, Problem
from core.queries import Query
from integrations.api import webhook_schema as schema
from integrations.api.delivery_pages import delivery_page, find_delivery
from integrations.api.webhook_inputs import ReplayIn, WebhookChange, WebhookIn
from integrations.api.webhook_outputs import delivery_document, webhook_document
from integrations.deliveries import health, replay
from integrations.key_cache import KeyGrant
from integrations.models import Sink, WebhookEndpoint
from integrations.models.deliveries import SinkQuerySet
from integrations.scopes import CUSTOMERS
from integrations.webhooks import endpoints
from orders import audit
from orders.ids import stored_ids
from orders.models import Kitchen

# For all keys of one name: a loop by mistake must not fill the table.
MOST_WEBHOOKS = 100
LONGEST_SLUG = 50
_NO_DELIVERY = "This webhook has no such delivery (any more)."


class WebhookViewSet(ApiView, ViewSet):
    """The webhook endpoints that keys of this name made; with a key for one kitchen, those of that kitchen."""

    required_scopes = dict.fromkeys(
        (
            "list",
            "create",
            "retrieve",
            "partial_update",
            "destroy",
            "rotate_secret",
            "test",
            "replay",
            "deliveries",
            "delivery",
        ),
        "webhooks:manage",
    )

    @schema.list_webhooks
    def list(self, request: Request) -> HttpResponseBase:
        Query.read(request.query_params)
        webhooks = _own(request).order_by("-created_at", "id")
        return Response({"results": [webhook_document(webhook) for webhook in webhooks]})

    @schema.create
    def create(self, request: Request) -> HttpResponseBase:
        grant = _grant(request)
        body, kitchen = _new(request.data, grant)
        _check_customer(grant, body.include_customer)
        endpoint = WebhookEndpoint(
            name=body.name,
            url=body.url,
            events=body.events,
            kitchen=kitchen,
            channel=body.channel,
            include_customer=body.include_customer,
            owner=grant.name,
        )
        if _own(request).count() >= MOST_WEBHOOKS:
            raise Problem(
                "too_many_webhooks", f"A key has up to {MOST_WEBHOOKS} webhooks; delete one.", status=409
            )
        with _as_problem():
            secret = endpoints.create(endpoint)
        audit.record("secret_shown", endpoint, flag=ADDITION, key=grant.name)
        return Response(
            {**webhook_document(endpoint), "secret": secret},
            status=201,
            headers={"Location": f"/api/webhooks/{endpoint.id}", "Cache-Control": "no-store"},
        )

    @schema.retrieve
    def retrieve(self, request: Request, id: str) -> HttpResponseBase:
        return Response(webhook_document(_one(request, id)))

    @schema.partial_update
    def partial_update(self, request: Request, id: str) -> HttpResponseBase:
        body = WebhookChange.read(request.data)
        endpoint = _one(request, id)
        wanted = endpoint.include_customer if body.include_customer is None else body.include_customer
        # A key that may not read customers' data may not send it to another URL either.
        _check_customer(_grant(request), wanted and bool(body.include_customer or body.url is not None))
        fields = {
            name: getattr(body, name) for name in endpoints.CHANGEABLE if getattr(body, name) is not None
        }
        with _as_problem(), transaction.atomic():
            # First, because its lock must be taken before the row's.
            if body.enabled is False:
                health.disable(endpoint.id, Sink.Disabled.BY_HAND)
            if fields:
                endpoints.change(endpoint, **fields)
            if body.enabled is True:
                health.enable(endpoint.id)
        return Response(webhook_document(_one(request, id)))

    @schema.destroy
    def destroy(self, request: Request, id: str) -> HttpResponseBase:
        health.delete(_one(request, id).id)
        return Response(status=204)

    @schema.rotate_secret
    def rotate_secret(self, request: Request, id: str) -> HttpResponseBase:
        endpoint = _one(request, id)
        secret = endpoints.rotate(endpoint)
        audit.record("secret_shown", endpoint, flag=CHANGE, key=_grant(request).name)
        return Response(
            {**webhook_document(_one(request, id)), "secret": secret}, headers={"Cache-Control": "no-store"}
        )

    @schema.test
    def test(self, request: Request, id: str) -> HttpResponseBase:
        endpoint = _one(request, id)
        if not endpoint.active:
            raise _disabled()
        delivery = endpoints.send_test(endpoint)
        return Response(delivery_document(delivery, endpoint, _grant(request)), status=202)

    @schema.replay
    def replay(self, request: Request, id: str) -> HttpResponseBase:
        body = ReplayIn.read(request.data)
        endpoint = _one(request, id)
        try:
            if "delivery" in body.model_fields_set:
                delivery = find_delivery(endpoint, body.delivery)
                if delivery is None:
                    raise Problem(
                        "unknown_delivery",
                        _NO_DELIVERY,
                        status=409,
                        errors=[{"pointer": "/delivery", "code": "unknown_delivery", "detail": _NO_DELIVERY}],
                    )
                replay.replay_delivery(delivery)
                count = 1
            elif "order" in body.model_fields_set:
                ids = stored_ids(body.order, _grant(request).kitchen)
                count = sum(replay.replay_order(endpoint.id, stored) for stored in ids)
            else:
                count = replay.replay_since(endpoint.id, body.since)
        except replay.NotActive:
            raise _disabled() from None
        except replay.TooMany:
            detail = (
                f"Send a later time: at most {replay.OLDEST.days} days ago, and with no more than "
                f"{replay.MAX_ROWS} changes since. GET /api/orders/events has all of them."
            )
            raise invalid_body([{"pointer": "/since", "code": "too_early", "detail": detail}]) from None
        return Response({"deliveries": count}, status=202)

    @schema.deliveries
    def deliveries(self, request: Request, id: str) -> HttpResponseBase:
        return Response(delivery_page(_one(request, id), request))

    @schema.delivery
    def delivery(self, request: Request, id: str, delivery: str) -> HttpResponseBase:
        endpoint = _one(request, id)
        row = find_delivery(endpoint, delivery)
        if row is None:
            raise Problem("not_found", _NO_DELIVERY, status=404)
        return Response(delivery_document(row, endpoint, _grant(request)))


def _grant(request: Request) -> KeyGrant:
    return cast(KeyGrant, request.auth)


def _own(request: Request) -> SinkQuerySet[WebhookEndpoint]:
    grant = _grant(request)
    own: SinkQuerySet[WebhookEndpoint] = WebhookEndpoint.objects.present().filter(owner=grant.name)
    return own if grant.kitchen is None else own.filter(kitchen_id=grant.kitchen)


def _new(data: Any, grant: KeyGrant) -> tuple[WebhookIn, Kitchen | None]:
    """The body and its kitchen. Raises Problem that names every wrong field, an unknown kitchen included."""
    errors: list[FieldError] = []
    body = kitchen = None
    try:
        body = WebhookIn.read(data)
    except Problem as problem:
        errors += problem.errors
    slug = data.get("kitchen") if isinstance(data, dict) else None
    if slug is None or (isinstance(slug, str) and 1 <= len(slug) <= LONGEST_SLUG):
        try:
            kitchen = _kitchen(slug, grant.kitchen)
        except Problem as problem:
            # A kitchen that the key may not name is an error of its own: only if nothing else is wrong.
            if problem.status_code != 400 and not errors:
                raise
            errors += problem.errors
    if body is None or errors:
        raise invalid_body(errors)
    return body, kitchen


def _one(request: Request, id: str) -> WebhookEndpoint:
    webhook = _own(request).filter(pk=id).first()
    if webhook is None:
        raise Problem("not_found", "There is no such webhook among those of this key.", status=404)
    return webhook


def _disabled() -> Problem:
    return Problem(
        "webhook_disabled",
        'This webhook is disabled; enable it first: PATCH {"enabled": true}.',
        status=409,
    )


def _check_customer(grant: KeyGrant, wanted: bool) -> None:
    if wanted and CUSTOMERS not in grant.scopes:
        raise Problem(
            "missing_scope",
            f"includeCustomer needs a key with the scope {CUSTOMERS}, which {grant.name} does not have.",
            status=403,
            errors=[
                {
                    "pointer": "/includeCustomer",
                    "code": "missing_scope",
                    "detail": "Send false, or use another key.",
                }
            ],
            requiredScope=CUSTOMERS,
        )


def _kitchen(named: str | None, bound: str | None) -> Kitchen | None:
    if bound is not None and named not in (None, bound):
        detail = f"This key is for the kitchen {bound}; send that one or leave it out."
        raise Problem(
            "kitchen_forbidden",
            detail,
            status=403,
            errors=[{"pointer": "/kitchen", "code": "kitchen_forbidden", "detail": detail}],
        )
    slug = named or bound
    if slug is None:
        return None
    kitchen = Kitchen.objects.filter(slug=slug).first() if "\x00" not in slug else None
    if kitchen is None:
        raise invalid_body(
            [
                {
                    "pointer": "/kitchen",
                    "code": "unknown_kitchen",
                    "detail": f"There is no kitchen {slug}; send the slug of one, or leave it out for all.",
                }
            ]
        )
    return kitchen


@contextmanager
def _as_problem() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        errors: list[FieldError] = [
            {
                "pointer": f"/{to_camel(field)}",
                "code": one.code or "invalid",
                "detail": " ".join(one.messages),
            }
            for field, field_errors in error.error_dict.items()
            for one in field_errors
        ]
        raise invalid_body(errors) from None
