"""Paired displays, and browsers that ask to become one."""

import hashlib
from datetime import datetime, timedelta
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kitchen_display.models.stations import Station
from orders.models import Kitchen

LANGUAGES = [("", _("As the device")), ("en", "English"), ("fi", "Suomi"), ("sv", "Svenska")]
# A screen sends a request at least once a minute; one that has been silent for longer is off.
ONLINE_FOR = timedelta(minutes=2)
# Before this process started, a wall may have got no answer: silence until then says nothing of it.
LISTENING_SINCE = timezone.now()


class ScreenQuerySet(models.QuerySet["Screen"]):
    def watching(self) -> Self:
        """Paired kitchen displays, which somebody is meant to look at."""
        return self.filter(kind="kitchen", revoked_at=None).exclude(paired_at=None)


class Screen(models.Model):
    """One display. What it may see and do follows from its kind, kitchen and station.

    The browser holds a random token in a cookie; only the token's SHA-256 is stored. So is that of a one-time link.
    """

    class Kind(models.TextChoices):
        KITCHEN = "kitchen", _("Kitchen display")
        PICKUP = "pickup", _("Pickup board")

    name = models.CharField(
        _("name"), max_length=100, help_text=_("History names who bumped by it, such as “grill-1”.")
    )
    kitchen = models.ForeignKey(
        Kitchen, on_delete=models.CASCADE, related_name="screens", db_index=False, verbose_name=_("kitchen")
    )
    station = models.ForeignKey(
        Station,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="screens",
        verbose_name=_("station"),
        help_text=_("Empty: the expo screen, which sees everything and what each station still owes."),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.KITCHEN)

    digest = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 (unique)
    link_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 (unique)
    # The link that paired it: opened again in the same browser it leads to the board.
    used_link_digest = models.CharField(max_length=64, blank=True, editable=False)
    link_expires_at = models.DateTimeField(null=True, editable=False)
    paired_at = models.DateTimeField(_("paired"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, editable=False)

    text_scale = models.PositiveSmallIntegerField(
        _("text size, %"), default=100, validators=[MinValueValidator(80), MaxValueValidator(160)]
    )
    columns = models.PositiveSmallIntegerField(
        _("columns"), default=0, validators=[MaxValueValidator(8)], help_text=_("0: as many as fit.")
    )
    sound_new = models.BooleanField(_("sound for a new order"), default=True)
    sound_cancelled = models.BooleanField(_("sound for a cancellation or a change"), default=True)
    sound_late = models.BooleanField(_("sound for a late order"), default=True)
    language = models.CharField(_("language"), max_length=2, choices=LANGUAGES, default="", blank=True)
    awake_from = models.TimeField(
        _("keep awake from"), null=True, blank=True, help_text=_("In the kitchen's time; both empty: always.")
    )
    awake_to = models.TimeField(_("keep awake to"), null=True, blank=True)

    objects = ScreenQuerySet.as_manager()

    class Meta:
        verbose_name = _("screen")
        verbose_name_plural = _("screens")
        ordering = ["kitchen", "name"]
        constraints = [
            # The history knows a screen by its name.
            models.UniqueConstraint(
                fields=["kitchen", "name"],
                name="screen_name_once_in_kitchen",
                violation_error_message=_("This kitchen has a screen of that name already."),
            ),
            models.CheckConstraint(condition=models.Q(name__length__gte=1), name="screen_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(text_scale__range=(80, 160)), name="screen_text_scale_range"
            ),
            models.CheckConstraint(condition=models.Q(columns__range=(0, 8)), name="screen_columns_range"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.station is not None and self.station.kitchen_id != self.kitchen_id:
            raise ValidationError({"station": _("This station is of another kitchen.")})
        if self.station is not None and self.kind == self.Kind.PICKUP:
            raise ValidationError({"station": _("A pickup board has no station.")})
        if (self.awake_from is None) != (self.awake_to is None):
            raise ValidationError({"awake_to": _("Give both hours or none.")})

    @property
    def actor(self) -> str:
        """Its name in the history."""
        return f"screen:{self.name}"

    @property
    def pairing(self) -> str:
        """Identifies browser, kitchen and kind in the tokens of streams. Empty while the screen has no browser."""
        if not self.digest:
            return ""
        return hashlib.sha256(f"{self.digest} {self.kitchen_id} {self.kind}".encode()).hexdigest()[:24]

    @property
    def is_expo(self) -> bool:
        return self.station_id is None

    @property
    def is_pickup(self) -> bool:
        return self.kind == self.Kind.PICKUP

    def is_online(self, now: datetime) -> bool:
        # A time in the future is from before the clock was set back.
        return self.last_seen_at is not None and abs(now - self.last_seen_at) < ONLINE_FOR

    def may_be_in_use(self, now: datetime) -> bool:
        """Whether its browser may be showing it now: it sent a request lately, or could not for a while."""
        silent_since = max(self.last_seen_at or self.paired_at or now, LISTENING_SINCE)
        return abs(now - silent_since) < ONLINE_FOR


class PairingRequest(models.Model):
    """A browser that shows `code` and waits until a manager enters it. Its secret is stored as a digest."""

    code = models.CharField(max_length=6, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=10, choices=Screen.Kind, default=Screen.Kind.KITCHEN)
    network = models.CharField(max_length=50, default="", db_default="", blank=True)
    created_at = models.DateTimeField()
    screen = models.ForeignKey(Screen, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        verbose_name = _("pairing request")
        verbose_name_plural = _("pairing requests")
        indexes = [
            # Each visit of an unpaired browser removes what is too old, and counts those of its network.
            models.Index(fields=["created_at"], name="pairing_request_created"),
            models.Index(fields=["network"], name="pairing_request_network"),
        ]

    def __str__(self) -> str:
        return self.code
