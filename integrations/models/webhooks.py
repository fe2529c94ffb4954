"""Webhook endpoints of integrators."""

from typing import ClassVar, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.deliveries import Sink, SinkQuerySet
from integrations.models.keys import NAME_LENGTH

KIND: Final = "webhook"


class WebhookEndpoint(Sink):
    """An address of an integrator that gets events, signed as Standard Webhooks says.

    No secret is stored: it is derived from SECRET_KEY and `nonce` (integrations.webhooks.signing).
    """

    url = models.CharField(
        _("URL"), max_length=2000, help_text=_("https://…; it must answer within 10 s, without redirects.")
    )
    include_customer = models.BooleanField(
        _("include customer data"),
        default=False,
        help_text=_("Account, name, phone, address and notes. Only where the receiver may have them."),
    )
    # The name of the key that created it, empty where a manager did. A rotated key has the same name.
    owner = models.CharField(_("made by the key"), max_length=NAME_LENGTH, blank=True, editable=False)
    nonce = models.CharField(max_length=32, editable=False)
    previous_nonce = models.CharField(max_length=32, blank=True, editable=False)
    previous_until = models.DateTimeField(_("the old secret signs until"), null=True, editable=False)

    objects: ClassVar = SinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints = [
            models.CheckConstraint(condition=~models.Q(nonce=""), name="webhook_has_secret"),
        ]
