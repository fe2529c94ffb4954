"""Admin of integrations: keys, webhooks and what they were sent."""

from integrations.admin import deliveries, keys, webhooks  # noqa: F401  (registers them)
