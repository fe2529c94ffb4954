"""Admin of keys, webhooks and deliveries, and the traffic of an order on its page."""

from integrations.admin import deliveries, keys, webhooks  # noqa: F401  (registers them)
