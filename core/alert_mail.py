"""Mails to those who look after this installation."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.conf import settings
from django.core.mail import send_mail

log = structlog.get_logger(__name__)


def wanted() -> bool:
    """Whether there is a mail server and somebody who reads its mails."""
    return bool(settings.HUUVA_ALERT_EMAILS and settings.HUUVA_SMTP_URL)


def send_alert(subject: str, text: str, also: Iterable[str] = ()) -> bool:
    """Whether the mail server took it. `also`: further addresses that it concerns. Never raises: what the mail is about
    must not fail because of it."""
    addresses = sorted({*settings.HUUVA_ALERT_EMAILS, *also})
    if not addresses or not settings.HUUVA_SMTP_URL:
        return False
    try:
        send_mail(subject, text, None, addresses)
    except OSError as error:  # smtplib's errors are OSErrors
        log.warning("alert_mail_failed", error=type(error).__name__)
        return False
    return True
