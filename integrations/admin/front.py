"""Alerts of integrations on the admin's front page."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.models import Sink, WebhookEndpoint
from orders.access import kitchens_of
from orders.admin.sections import Alert

MOST = 5


def webhook_alerts(request: HttpRequest) -> Iterable[Alert]:
    """Webhooks that were disabled and not by somebody; one statement."""
    if not request.user.has_perm("integrations.view_webhookendpoint"):
        return []
    allowed = kitchens_of(request.user)
    endpoints = (
        WebhookEndpoint.objects.present()
        .filter(**({} if allowed is None else {"kitchen__in": allowed}))
        .exclude(disabled_at=None)
        .exclude(disabled_reason__in=Sink.Disabled.asked_for())
        .order_by("-disabled_at")[:MOST]
    )
    return [
        Alert(
            _("The webhook %(name)s is disabled: %(reason)s.")
            % {"name": endpoint.name, "reason": endpoint.get_disabled_reason_display()},
            reverse("admin:integrations_webhookendpoint_change", args=[endpoint.pk]),
        )
        for endpoint in endpoints
    ]
