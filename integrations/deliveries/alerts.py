"""Telling managers that somebody is told no more: by mail, where that is set up; admin's front page shows it too."""

from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from core.mail import alerts_enabled, send_alert
from integrations.models import Sink


def tell_disabled(sink_id: str) -> None:
    """After the commit of the transaction that is open."""
    if alerts_enabled():
        transaction.on_commit(partial(_mail, sink_id))


def _mail(sink_id: str) -> None:
    sink = Sink.objects.filter(pk=sink_id).first()
    if sink is None:
        return
    send_alert(
        _("Huuva tells %(name)s no more") % {"name": sink.name},
        _(
            "%(name)s was disabled: %(reason)s.\n\n"
            "Find out why, then enable it in admin and replay what it missed."
        )
        % {"name": sink.name, "reason": sink.get_disabled_reason_display()},
    )
