"""Links to channels, their locations, the messages they sent, and which order of ours is which of theirs."""

from typing import Any, Final, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrations.adapters.base import LinkFacts
from integrations.adapters.fields import id_part
from integrations.adapters.registry import KINDS
from integrations.events import CREATED, RECALLED, STATUS_CHANGED
from integrations.models.deliveries import Sink
from orders.models.kitchens import check_slug

KIND: Final = "channel"
ID_LENGTH: Final = 256

check_link_slug = RegexValidator(
    check_slug.regex, _("Small letters, digits and hyphens only, such as “deliverect” or “shop-2”.")
)


# What a new link hears; stored with it.
LINK_EVENTS: Final = (CREATED, STATUS_CHANGED, RECALLED)


class ChannelLink(Sink):
    """One connection to one channel. Never deleted, because orders carry its slug: it is made inactive.

    As a receiver it gets the events of orders whose `channel` is its own. When it is disabled as a receiver (its status
    URL failed for days), it still takes orders in.
    """

    channel_kind = models.CharField(
        _("kind"), max_length=32, choices=[(kind, kind.title()) for kind in KINDS]
    )
    slug = models.CharField(
        _("slug"),
        max_length=50,
        unique=True,
        validators=[check_link_slug],
        help_text=_("Begins the ids of its orders and names it in their history; can't be changed later."),
    )
    external_id = models.CharField(
        _("channel link id"),
        max_length=ID_LENGTH,
        blank=True,
        help_text=_("As the channel sends it (Deliverect: channelLink)."),
    )
    account = models.CharField(
        _("account id"), max_length=128, blank=True, help_text=_("Ours at the channel; sent with busy mode.")
    )
    # Encrypted with a key that is not in the database: a dump alone signs nothing.
    secret = models.BinaryField(editable=False)
    brand_id = models.CharField(
        _("brand id"), max_length=128, blank=True, help_text=_("For orders that name no brand.")
    )
    mapping = models.JSONField(
        _("mapping"),
        null=True,
        blank=True,
        help_text=_("Where the fields stand in the channel's body; generic links only."),
    )
    status_url = models.CharField(
        _("status URL"), max_length=2000, blank=True, help_text=_("Hears of every change of its orders.")
    )
    busy_url = models.CharField(
        _("busy mode URL"),
        max_length=2000,
        blank=True,
        help_text=_("Hears when a kitchen pauses, is busy, or changes its preparation time."),
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Off: its messages are refused, and it hears nothing.")
    )

    class Meta:
        verbose_name = _("channel link")
        verbose_name_plural = _("channel links")
        ordering = ["slug"]
        constraints = [
            # A body claims its link by this id, so no two links may have the same.
            models.UniqueConstraint(
                fields=["channel_kind", "external_id"], condition=~Q(external_id=""), name="channel_link_once"
            ),
            # It is a part of order ids.
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"), name="channel_link_slug_plain"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.kind, self.channel, self.events = KIND, self.name, list(LINK_EVENTS)
        super().save(*args, **kwargs)

    @property
    def actor(self) -> str:
        """Its name in the history of orders."""
        return f"channel:{self.slug}"

    def order_id(self, external_id: str) -> str:
        """Our id of one of its orders: no other link has the same."""
        return f"{self.slug}:{id_part(external_id)}"

    def facts(self) -> LinkFacts:
        return LinkFacts(self.slug, self.channel, self.external_id, self.brand_id, self.account, self.mapping)


class ChannelLocation(models.Model):
    """A location as the channel names it, and the kitchen that cooks for it, once somebody has set it."""

    link = models.ForeignKey(
        ChannelLink,
        on_delete=models.CASCADE,
        related_name="locations",
        verbose_name=_("link"),
        db_index=False,
    )
    external_id = models.CharField(_("location id"), max_length=ID_LENGTH)
    kitchen = models.ForeignKey(
        "orders.Kitchen",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("kitchen"),
        help_text=_("Empty: its orders are refused, kept, and can be replayed."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("channel location")
        verbose_name_plural = _("channel locations")
        ordering = ["link", "external_id"]
        constraints = [
            models.UniqueConstraint(fields=["link", "external_id"], name="channel_location_once"),
            models.CheckConstraint(condition=~Q(external_id=""), name="channel_location_not_empty"),
        ]

    def __str__(self) -> str:
        return self.external_id


class ChannelOrder(models.Model):
    """Which order of ours is which of a link's, so that repeats are harmless. Ids and times only.

    `taken_at` empty: the cancellation came first and waits for the order. The order is named without a foreign key,
    because its table may be on a cluster (ADR 1).
    """

    order_id = models.CharField(primary_key=True, max_length=128, db_collation="C")
    link = models.ForeignKey(ChannelLink, on_delete=models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=ID_LENGTH)
    location = models.CharField(max_length=ID_LENGTH, blank=True)
    # The channel's status with which the order came: the same again is a repeat, another one is noted.
    channel_status = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    taken_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("channel order")
        verbose_name_plural = _("channel orders")
        constraints = [
            # One order for each id of the channel, even if the advisory lock failed.
            models.UniqueConstraint(fields=["link", "external_id"], name="channel_order_once"),
        ]
        indexes = [
            # The purge looks for cancellations whose order never came.
            models.Index(
                fields=["created_at"], name="channel_order_waiting", condition=Q(taken_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.order_id


class ChannelMessageQuerySet(models.QuerySet["ChannelMessage"]):
    def unsettled(self) -> Self:
        """Messages that failed and that nobody has dealt with."""
        return self.filter(outcome__in=ChannelMessage.FAILED, settled_at__isnull=True)


class ChannelMessage(models.Model):
    """A verified message of a link with its outcome. The payload holds customers' data, so it is purged."""

    class Outcome(models.TextChoices):
        TAKEN = "taken", _("Taken")
        CANCELLED = "cancelled", _("Cancelled")
        WAITING = "waiting", _("Waits for its order")
        REPEATED = "repeated", _("Repeated")
        NOTED = "noted", _("Noted")
        UNKNOWN_LOCATION = "unknown_location", _("Unknown location")
        INVALID = "invalid", _("Can't be read")
        REFUSED = "refused", _("Refused")

    # A manager should look at these.
    FAILED = (Outcome.UNKNOWN_LOCATION, Outcome.INVALID, Outcome.REFUSED)

    link = models.ForeignKey(
        ChannelLink, on_delete=models.CASCADE, related_name="+", verbose_name=_("link"), db_index=False
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    matter = models.CharField(_("matter"), max_length=16, blank=True)
    external_id = models.CharField(_("channel's order id"), max_length=ID_LENGTH, blank=True)
    location = models.CharField(_("location id"), max_length=ID_LENGTH, blank=True)
    channel_status = models.CharField(_("channel's status"), max_length=64, blank=True)
    order_id = models.CharField(_("order"), max_length=128, blank=True, db_collation="C")
    request_id = models.CharField(_("request id"), max_length=128, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome)
    status_code = models.PositiveSmallIntegerField(_("answered"))
    detail = models.CharField(_("detail"), max_length=2000, blank=True)
    payload = models.TextField(_("payload"), blank=True)
    replay_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replays", editable=False
    )
    # When somebody dealt with a message that failed: replayed it with success, or gave it up.
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True, editable=False)
    settled_by = models.CharField(_("by"), max_length=200, blank=True, editable=False)

    objects = ChannelMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel message")
        verbose_name_plural = _("channel messages")
        indexes = [
            # The purge and the list, newest first.
            models.Index(fields=["-at", "-id"], name="channel_message_newest"),
            # The timeline of one order.
            models.Index(fields=["order_id", "at"], name="channel_message_order", condition=~Q(order_id="")),
            # Unsettled messages, for the front page: few among many.
            models.Index(
                fields=["link", "location"],
                name="channel_message_trouble",
                condition=Q(outcome__in=["unknown_location", "invalid", "refused"], settled_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.matter} {self.external_id}".strip()

    @property
    def is_unsettled(self) -> bool:
        return self.outcome in self.FAILED and self.settled_at is None
