"""API keys, and the answers stored for their repeated requests."""

from datetime import datetime
from typing import Final, Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrations.scopes import validate_scopes

NAME_LENGTH: Final = 64


def validate_key_name(name: str) -> None:
    """Names are in the history as the actor `key:<name>`, so they are one readable line."""
    if not name.isprintable() or name != name.strip():
        raise ValidationError(
            _("A key's name is one line of printable characters without spaces around it."), code="bad_name"
        )


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def alive(self, now: datetime) -> Self:
        """Keys that are neither revoked nor expired."""
        return self.filter(revoked_at=None).exclude(expires_at__lte=now)


class ApiKey(models.Model):
    """A secret of an integrator. Revoked, never deleted: the history names it.

    The name says who acts and is not unique: while a key is rotated, the old and the new one are both active.
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        EXPIRED = "expired", _("Expired")
        REVOKED = "revoked", _("Revoked")

    name = models.CharField(
        _("name"),
        max_length=NAME_LENGTH,
        validators=[validate_key_name],
        help_text=_("Who uses this key. Shown in the history of every order that it changes."),
    )
    prefix = models.CharField(_("prefix"), max_length=16, unique=True, editable=False)
    # SHA-256 without salt or stretching is enough: the secret has 190 random bits, no dictionary holds it.
    digest = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=32), verbose_name=_("scopes"), validators=[validate_scopes]
    )
    # PROTECT: a key without a kitchen is for all kitchens, so deleting a kitchen must not widen its keys.
    kitchen = models.ForeignKey(
        "orders.Kitchen",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="api_keys",
        verbose_name=_("kitchen"),
        help_text=_("Empty: all kitchens."),
    )
    rate_limit = models.PositiveIntegerField(
        _("calls a minute"),
        null=True,
        blank=True,
        help_text=_("Empty: the default of this server. 0: no limit."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(
        _("expires"),
        null=True,
        blank=True,
        help_text=_("Empty: never. The webhooks that it made end with it."),
    )
    # When its expiry was last handled (integrations.keys.end_expired_keys); before `expires_at` where that was moved
    # later since.
    expiry_noted_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            # For writes without a form. A key without a name could not be recognised.
            models.CheckConstraint(condition=~Q(name=""), name="apikey_name_not_empty"),
            models.CheckConstraint(condition=Q(prefix__regex=r"^[a-z0-9]+$"), name="apikey_prefix_plain"),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="apikey_digest_is_sha256"
            ),
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="apikey_has_scopes"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def state_at(self, now: datetime) -> "ApiKey.State":
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return self.State.EXPIRED
        return self.State.ACTIVE


class IdempotencyRecord(models.Model):
    """The answer to a request with an `Idempotency-Key`, written in the transaction of its work."""

    # One answer for each API key, route and Idempotency-Key.
    pk = models.CompositePrimaryKey("api_key", "route", "key")
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, db_index=False, related_name="+")
    route = models.CharField(max_length=512)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            # The purge finds the oldest answers without reading the others.
            models.Index(fields=["created_at"], name="idempotency_created_at"),
        ]
        constraints = [
            # An answer of 500 or more is never stored: the client should try again.
            models.CheckConstraint(
                condition=Q(status__gte=200, status__lt=500), name="idempotency_status_final"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
