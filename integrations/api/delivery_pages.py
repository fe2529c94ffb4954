"""The deliveries of a webhook, newest first: keyset pages by the id of a delivery."""

from typing import Annotated, Any, cast

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError
from rest_framework.request import Request

from core.api import grant_of, kitchen_of
from core.queries import Query
from integrations.api.webhook_outputs import delivery_document
from integrations.models import Delivery, WebhookEndpoint
from orders.api.paging import DEFAULT_LIMIT, Limit, page_url, read_cursor
from orders.cursors import decrypted, encrypted
from orders.ids import stored_ids

STATES = {state.name.lower(): state for state in Delivery.State}


def _list(endpoint: WebhookEndpoint) -> str:
    return f"deliveries of {endpoint.id}"


def _cursor(text: str, info: ValidationInfo) -> int | None:
    endpoint = cast(dict[str, WebhookEndpoint], info.context)["endpoint"]
    return read_cursor(
        text, lambda cursor: int(decrypted(cursor, of=_list(endpoint))), "as it stands in next, or none."
    )


def _state(text: str) -> int | None:
    if text and text not in STATES:
        raise PydanticCustomError("state", f"Send one of {', '.join(STATES)}.")
    return STATES.get(text)


class DeliveryQuery(Query):
    """Which deliveries; its context is their `endpoint`."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Annotated[int | None, PlainValidator(_cursor), WithJsonSchema({"type": "string"})] = Field(
        None, description="As it stands in `next`."
    )
    state: Annotated[
        int | None, PlainValidator(_state), WithJsonSchema({"type": "string", "enum": list(STATES)})
    ] = None
    order: Annotated[str | None, WithJsonSchema({"type": "string", "maxLength": 128})] = Field(
        None, description="Only those of this order."
    )


def delivery_page(endpoint: WebhookEndpoint, request: Request) -> dict[str, Any]:
    """The page that the query asks for. Raises Problem `invalid_parameter`."""
    query = DeliveryQuery.read(request.query_params, endpoint=endpoint)
    deliveries = Delivery.objects.filter(sink_id=endpoint.id)
    if query.state is not None:
        deliveries = deliveries.filter(state=query.state)
    if query.order:
        ids = stored_ids(query.order, kitchen_of(request)) if "\x00" not in query.order else ()
        deliveries = deliveries.filter(order_id__in=ids)
    if query.cursor is not None:
        deliveries = deliveries.filter(pk__lt=query.cursor)
    page = list(deliveries.order_by("-pk")[: query.limit + 1])
    more = len(page) > query.limit
    del page[query.limit :]
    return {
        "results": [delivery_document(delivery, endpoint, grant_of(request)) for delivery in page],
        "next": page_url(request, encrypted(str(page[-1].pk), of=_list(endpoint))) if more else None,
    }


def find_delivery(endpoint: WebhookEndpoint, id: str) -> Delivery | None:
    is_id = id.isascii() and id.isdigit() and len(id) <= 18
    return Delivery.objects.filter(sink_id=endpoint.id, pk=int(id)).first() if is_id else None
