"""Telling managers that somebody is told no more: by mail, where that is set up; admin's front page shows it too."""

from functools import partial

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils.translation import gettext as _

from integrations.models import Sink

log = structlog.get_logger(__name__)


def tell_disabled(sink_id: str) -> None:
    """After the commit of the transaction that is open."""
    if settings.HUUVA_ALERT_EMAILS and settings.HUUVA_SMTP_URL:
        transaction.on_commit(partial(_mail, sink_id))


def _mail(sink_id: str) -> None:
    sink = Sink.objects.filter(pk=sink_id).first()
    if sink is None:
        return
    try:
        send_mail(
            _("Huuva tells %(name)s no more") % {"name": sink.name},
            _(
                "%(name)s was disabled: %(reason)s.\n\n"
                "Find out why, then enable it in admin and replay what it missed."
            )
            % {"name": sink.name, "reason": sink.get_disabled_reason_display()},
            None,
            settings.HUUVA_ALERT_EMAILS,
        )
    except OSError as error:  # smtplib's errors are OSErrors
        log.warning("alert_mail_failed", error=type(error).__name__)
