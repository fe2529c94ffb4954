"""The answers of the webhook API and what its messages share: as plain data, and as models for the description."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core.api import Grant
from integrations.models import Delivery, WebhookEndpoint
from integrations.webhooks.payloads import endpoint_message_id
from orders import clock
from orders.ids import public_id


class Output(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class Webhook(Output):
    """A webhook endpoint."""

    id: str
    name: str
    url: str
    events: list[str]
    kitchen: str | None
    channel: str
    include_customer: bool
    enabled: bool
    disabled_reason: Literal["by_hand", "gone", "failing", "key_revoked", "key_expired"] | None
    disabled_at: datetime | None
    created_at: datetime
    failures: int = Field(description="Failed tries in a row.")
    failing_since: datetime | None
    last_success_at: datetime | None
    previous_secret_until: datetime | None = Field(description="Until then the secret of before signs too.")


class NewWebhook(Webhook):
    """A webhook endpoint with its secret, which is shown this once."""

    secret: str


class WebhookPage(Output):
    """All webhook endpoints of the key, newest first."""

    results: list[Webhook]


class Try(Output):
    """One try to deliver. `error` says why no answer came."""

    at: datetime
    status: int | None
    ms: int
    error: str
    answer: str = Field(
        default_factory=str, description="The first 256 bytes of the answer; only with customers:read."
    )


class DeliveryOut(Output):
    """An event on its way to an endpoint."""

    id: str
    message_id: str = Field(description="The header webhook-id; the same in every try and replay.")
    type: str
    order_id: str
    sequence: int
    timestamp: datetime
    created_at: datetime
    state: Literal["waiting", "delivered", "given_up", "skipped"]
    attempts: int
    next_attempt_at: datetime | None
    finished_at: datetime | None
    last_status: int | None
    last_ms: int | None
    tries: list[Try]


class DeliveryPage(Output):
    """A page of deliveries, newest first."""

    results: list[DeliveryOut]
    next: str | None = Field(description="Where the page of older deliveries is.")


class Replayed(Output):
    """How many deliveries wait by the replay."""

    deliveries: int


def webhook_document(endpoint: WebhookEndpoint) -> dict[str, Any]:
    until = endpoint.previous_until
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "url": endpoint.url,
        "events": endpoint.events,
        "kitchen": endpoint.kitchen_id,
        "channel": endpoint.channel,
        "includeCustomer": endpoint.include_customer,
        "enabled": endpoint.disabled_at is None,
        "disabledReason": endpoint.disabled_reason or None,
        "disabledAt": endpoint.disabled_at,
        "createdAt": endpoint.created_at,
        "failures": endpoint.failures,
        "failingSince": endpoint.failing_since,
        "lastSuccessAt": endpoint.last_success_at,
        "previousSecretUntil": until if until and until > clock.now() else None,
    }


def delivery_document(delivery: Delivery, endpoint: WebhookEndpoint, reader: Grant) -> dict[str, Any]:
    waiting = delivery.state == Delivery.State.WAITING
    return {
        "id": str(delivery.pk),
        "messageId": endpoint_message_id(endpoint, delivery.order_id, delivery.sequence, delivery.step),
        "type": delivery.event_type,
        "orderId": public_id(delivery.order_id, reader.kitchen),
        "sequence": delivery.sequence,
        "timestamp": delivery.at,
        "createdAt": delivery.created_at,
        "state": Delivery.State(delivery.state).name.lower(),
        "attempts": delivery.attempts,
        "nextAttemptAt": delivery.next_attempt_at if waiting else None,
        "finishedAt": delivery.finished_at,
        "lastStatus": delivery.last_status,
        "lastMs": delivery.last_ms,
        "tries": delivery.log if reader.sees_customers else [_without_answer(each) for each in delivery.log],
    }


def _without_answer(attempt: dict[str, Any]) -> dict[str, Any]:
    """Receivers repeat what they were sent."""
    return {name: value for name, value in attempt.items() if name != "answer"}
