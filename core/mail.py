"""The mail server of alerts, from its URL."""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS: Final = 10


def mailer(url: str) -> dict[str, Any]:
    """Django's settings of the mailer that a URL names; smtp:// with a user speaks STARTTLS."""
    parts = urlsplit(url)
    implicit = parts.scheme == "smtps"
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": unquote(parts.hostname or "localhost"),
            "port": parts.port or (465 if implicit else 587 if parts.username else 25),
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_ssl": implicit,
            "use_tls": not implicit and parts.username is not None,
            "timeout": TIMEOUT_SECONDS,
        },
    }
