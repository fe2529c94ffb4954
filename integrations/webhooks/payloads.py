"""Bodies of webhook messages: the renderer of webhook endpoints for `integrations.deliveries`."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from core.jsonio import dumps
from integrations.deliveries.kinds import Message, PendingDelivery
from integrations.events import LATE, TEST
from integrations.models import ApiKey, WebhookEndpoint
from integrations.order_snapshots import OrderThen, orders_then
from integrations.scopes import CUSTOMERS
from integrations.webhooks.signing import secret_of, signed_headers
from orders import clock
from orders.ids import is_marked, public_id

HTTP_GONE: Final = 410


def message_id(order_id: str, sequence: int, step: int) -> str:
    """The same for each attempt and replay of an event, whoever gets it."""
    digest = hashlib.sha256(f"{sequence}:{step}:{order_id}".encode()).digest()
    return "msg_" + base64.urlsafe_b64encode(digest[:20]).decode().rstrip("=")


def endpoint_message_id(endpoint: WebhookEndpoint, order_id: str, sequence: int, step: int) -> str:
    """Made of the id that the endpoint's kitchen knows: it must not reveal that another kitchen has the same."""
    return message_id(public_id(order_id, endpoint.kitchen_id), sequence, step)


def payload(
    delivery: PendingDelivery,
    then: OrderThen | None,
    endpoint: WebhookEndpoint,
    *,
    customer: bool,
    kitchen: str | None,
) -> dict[str, Any]:
    """The body; a test has no order. `kitchen`: the one whose id of the order is sent; None: the plain id."""
    data: dict[str, Any] = {"order": None}
    if then is not None:
        data = {
            "orderId": public_id(delivery.order_id, kitchen),
            "kitchen": then.order.kitchen_id,
            # Becoming late changes nothing.
            "change": None if delivery.event_type == LATE else then.change_document(),
            "order": then.order_document(customer=customer, kitchen=kitchen),
        }
    return {
        "id": endpoint_message_id(endpoint, delivery.order_id, delivery.sequence, delivery.step),
        "type": delivery.event_type,
        "timestamp": delivery.at,
        "sequence": delivery.sequence,
        "data": data,
    }


class WebhookRenderer:
    """Four statements, however many deliveries."""

    gone = frozenset({HTTP_GONE})

    def render(self, deliveries: Sequence[PendingDelivery]) -> Mapping[int, Message | None]:
        endpoints = WebhookEndpoint.objects.in_bulk({delivery.sink_id for delivery in deliveries})
        trusted = _trusted(endpoints.values())
        bound = (
            _bound(endpoints.values()) if any(is_marked(delivery.order_id) for delivery in deliveries) else {}
        )
        orders = orders_then(
            (delivery.order_id, delivery.sequence) for delivery in deliveries if delivery.event_type != TEST
        )
        now = clock.now()
        # Once for each endpoint: deriving a secret takes longer than signing.
        secrets = {endpoint.id: _secrets(endpoint, now) for endpoint in endpoints.values()}
        messages: dict[int, Message | None] = {}
        for delivery in deliveries:
            endpoint = endpoints.get(delivery.sink_id)
            then = orders.get((delivery.order_id, delivery.sequence))
            if endpoint is None or (then is None and delivery.event_type != TEST):
                continue  # Erased meanwhile.
            kitchen = bound.get(endpoint.id)
            body = payload(delivery, then, endpoint, customer=endpoint.id in trusted, kitchen=kitchen)
            raw = dumps(body)
            headers = signed_headers(body["id"], raw, secrets[endpoint.id], now)
            messages[delivery.id] = Message(
                endpoint.url, raw, {"Content-Type": "application/json", **headers}
            )
        return messages


def _secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Those that sign now, the newest first."""
    nonces = [endpoint.nonce]
    if endpoint.previous_nonce and endpoint.previous_until and endpoint.previous_until > now:
        nonces.append(endpoint.previous_nonce)
    return [secret_of(endpoint.id, nonce) for nonce in nonces]


def _trusted(endpoints: Any) -> set[str]:
    """Ids of the endpoints that get customer data: made by a manager, or by a key that may (still) read it."""
    wanting = [endpoint for endpoint in endpoints if endpoint.include_customer]
    owners = {endpoint.owner for endpoint in wanting} - {""}
    reading: list[ApiKey] = []
    if owners:
        alive = ApiKey.objects.alive(clock.now())
        reading = list(alive.filter(name__in=owners, scopes__contains=[CUSTOMERS]))
    return {
        endpoint.id
        for endpoint in wanting
        if not endpoint.owner
        or any(
            key.name == endpoint.owner and key.kitchen_id in (None, endpoint.kitchen_id) for key in reading
        )
    }


def _bound(endpoints: Iterable[WebhookEndpoint]) -> dict[str, str]:
    """Kitchens of endpoints that have one and no key for all kitchens: they get the kitchen's own ids of orders."""
    of_one = [endpoint for endpoint in endpoints if endpoint.kitchen_id is not None]
    owners = {endpoint.owner for endpoint in of_one} - {""}
    alive = ApiKey.objects.alive(clock.now()).filter(name__in=owners, kitchen=None)
    everywhere = set(alive.values_list("name", flat=True))
    return {endpoint.id: str(endpoint.kitchen_id) for endpoint in of_one if endpoint.owner not in everywhere}
