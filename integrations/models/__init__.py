"""Keys of integrators, and what goes out to them."""

from integrations.models.deliveries import Delivery, DeliveryCount, DeliveryProgress, LateNote, Sink
from integrations.models.keys import ApiKey, IdempotencyRecord, validate_key_name
from integrations.models.webhooks import WebhookEndpoint

__all__ = [
    "ApiKey",
    "Delivery",
    "DeliveryCount",
    "DeliveryProgress",
    "IdempotencyRecord",
    "LateNote",
    "Sink",
    "WebhookEndpoint",
    "validate_key_name",
]
