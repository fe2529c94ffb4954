"""Mails to those who look after this installation."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.core.mail import send_mail

log = structlog.get_logger(__name__)


def wanted() -> bool:
    """Whether there is a mail server and somebody who reads its mails."""
    return bool(settings.HUUVA_ALERT_EMAILS and settings.HUUVA_SMTP_URL)


def send_alert(subject: str, text: str) -> bool:
    """Whether the mail server took it. Never raises: what the mail is about must not fail because of it."""
    if not wanted():
        return False
    try:
        send_mail(subject, text, None, settings.HUUVA_ALERT_EMAILS)
    except OSError as error:  # smtplib's errors are OSErrors
        log.warning("alert_mail_failed", error=type(error).__name__)
        return False
    return True
