"""Services of webhook endpoints, for API and admin: create, change, rotate, test."""

import uuid
from datetime import datetime
from typing import Any

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.deliveries.guard import check_url
from integrations.events import TEST
from integrations.models import Delivery, WebhookEndpoint
from integrations.models.webhooks import KIND
from integrations.webhooks.signing import ROTATION, new_nonce, secret_of
from orders import clock

log = structlog.get_logger(__name__)

# The kitchen can't be changed: it says whose the endpoint is.
CHANGEABLE = frozenset({"name", "url", "events", "channel", "include_customer"})


def create(endpoint: WebhookEndpoint) -> str:
    """Store a new endpoint and return its secret, which is shown this once. Raises ValidationError."""
    endpoint.kind = KIND
    endpoint.nonce = new_nonce()
    endpoint.full_clean(validate_unique=False)
    _check(endpoint.url)
    endpoint.save(force_insert=True)
    log.info("webhook_created", webhook=endpoint.id, owner=endpoint.owner)
    return secret_of(endpoint.id, endpoint.nonce)


def change(endpoint: WebhookEndpoint, **fields: Any) -> None:
    """Change some of CHANGEABLE. A new URL is tried at once. Raises ValidationError."""
    assert fields.keys() <= CHANGEABLE  # noqa: S101  (a mistake of the caller's)
    for name, value in fields.items():
        setattr(endpoint, name, value)
    endpoint.full_clean(validate_unique=False)
    names = set(fields)
    if "url" in fields:
        _check(endpoint.url)
        endpoint.failures, endpoint.failing_since, endpoint.retry_at = 0, None, None
        names |= {"failures", "failing_since", "retry_at"}
    endpoint.save(update_fields=names)


def _check(url: str) -> None:
    """Raises ValidationError of the field `url`."""
    try:
        check_url(url)
    except ValidationError as error:
        raise ValidationError({"url": error}) from None


def rotate(endpoint: WebhookEndpoint) -> str:
    """Give the endpoint a new secret and return it; for 24 hours the old one signs too."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
        endpoint.previous_nonce, endpoint.nonce = endpoint.nonce, new_nonce()
        endpoint.previous_until = clock.now() + ROTATION
        endpoint.save(update_fields=["nonce", "previous_nonce", "previous_until"])
    log.info("webhook_secret_rotated", webhook=endpoint.id)
    return secret_of(endpoint.id, endpoint.nonce)


def send_test(endpoint: WebhookEndpoint) -> Delivery:
    """Create a delivery of the type `webhook.test`, which is sent like any other."""
    now: datetime = clock.now()
    return Delivery.objects.create(
        sink_id=endpoint.pk,
        order_id=f"test-{uuid.uuid4()}",
        sequence=1,
        event_type=TEST,
        at=now,
        created_at=now,
        next_attempt_at=now,
    )
