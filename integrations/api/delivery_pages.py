"""The log of what a webhook was sent, newest first: keyset pages by the id of a delivery."""

from typing import Any

from rest_framework.request import Request

from core.api import grant_of, kitchen_of
from core.bodies import each, invalid_parameter, invalid_parameters, unknown_parameters
from integrations.api.webhook_outputs import delivery_document
from integrations.models import Delivery, WebhookEndpoint
from orders.api.paging import NO_CURSOR, limit_of, page_url
from orders.cursors import decrypted, encrypted
from orders.ids import stored_ids

PARAMETERS = frozenset({"state", "order", "limit", "cursor"})
STATES = {state.name.lower(): state for state in Delivery.State}


def check_parameters(request: Request, known: frozenset[str] = frozenset()) -> None:
    """Raises Problem `invalid_parameter` that names the unknown ones."""
    errors = unknown_parameters(request.query_params, known)
    if errors:
        raise invalid_parameters(errors)


def delivery_page(endpoint: WebhookEndpoint, request: Request) -> dict[str, Any]:
    """The page that the query asks for. Raises Problem `invalid_parameter`."""
    (limit, before, state), _known = each(
        lambda: each(lambda: limit_of(request), lambda: _cursor(endpoint, request), lambda: _state(request)),
        lambda: check_parameters(request, PARAMETERS),
    )
    found = Delivery.objects.filter(sink_id=endpoint.id)
    if state is not None:
        found = found.filter(state=state)
    order = request.query_params.get("order")
    if order:
        ids = stored_ids(order, kitchen_of(request)) if "\x00" not in order else ()
        found = found.filter(order_id__in=ids)
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found.order_by("-pk")[: limit + 1])
    more = len(page) > limit
    del page[limit:]
    return {
        "results": [delivery_document(delivery, endpoint, grant_of(request)) for delivery in page],
        "next": page_url(request, encrypted(str(page[-1].pk), of=_list(endpoint))) if more else None,
    }


def find_delivery(endpoint: WebhookEndpoint, id: str) -> Delivery | None:
    return Delivery.objects.filter(sink_id=endpoint.id, pk=int(id)).first() if _is_id(id) else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _cursor(endpoint: WebhookEndpoint, request: Request) -> int | None:
    text = request.query_params.get("cursor")
    if not text:
        return None
    try:
        return int(decrypted(text, of=_list(endpoint)))
    except ValueError:
        raise invalid_parameter("cursor", f"{NO_CURSOR} as it stands in next, or none.") from None


def _list(endpoint: WebhookEndpoint) -> str:
    return f"deliveries of {endpoint.id}"


def _state(request: Request) -> int | None:
    text = request.query_params.get("state")
    if not text:
        return None
    if text in STATES:
        return STATES[text]
    raise invalid_parameter("state", f"Send one of {', '.join(STATES)}.")
