"""Admin of integrations: keys, webhooks and what they were sent; on an order's page, all that was said of it."""

from integrations.admin import deliveries, keys, webhooks  # noqa: F401  (registers them)
