"""Mails to the people who look after this installation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings
from django.core.mail import send_mail

TIMEOUT_SECONDS: Final = 10

log = structlog.get_logger(__name__)


def mailer(url: str) -> dict[str, Any]:
    """Django's settings of the mail server at `url`; smtp:// with a user speaks STARTTLS."""
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


def alerts_enabled() -> bool:
    """Whether there are a mail server and addresses for alerts."""
    return bool(settings.HUUVA_ALERT_EMAILS and settings.HUUVA_SMTP_URL)


def send_alert(subject: str, text: str, also: Iterable[str] = ()) -> bool:
    """Whether the mail server accepted it. `also`: addresses besides HUUVA_ALERT_EMAILS. Never raises: a failing mail
    must not stop the work that it is about."""
    addresses = sorted({*settings.HUUVA_ALERT_EMAILS, *also})
    if not addresses or not settings.HUUVA_SMTP_URL:
        return False
    try:
        send_mail(subject, text, None, addresses)
    except OSError as error:  # smtplib's errors are OSErrors
        log.warning("alert_mail_failed", error=type(error).__name__)
        return False
    return True
