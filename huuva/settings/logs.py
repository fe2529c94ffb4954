"""Logs, and where errors are sent."""

from huuva.settings.base import env, shared

LOG_LEVEL = shared.log_level
LOGGING_CONFIG = "core.logs.configure"
LOGGING = {"level": LOG_LEVEL}

HUUVA_SENTRY_DSN = env.url(
    "HUUVA_SENTRY_DSN",
    schemes=("http", "https"),
    default="",
    secret=True,
    description="Where errors are sent, without customer data; unset: nowhere",
)
HUUVA_ENVIRONMENT = env.str(
    "HUUVA_ENVIRONMENT", "production", description="The name of this installation in Sentry"
)
