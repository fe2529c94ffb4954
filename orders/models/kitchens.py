"""Kitchens, their members, and the brands that are cooked in them."""

import re
import zoneinfo
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

models.CharField.register_lookup(Length)
models.TextField.register_lookup(Length)


def check_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is no time zone; write one such as Europe/Helsinki."), params={"name": name}
        )


check_slug = RegexValidator(
    re.compile(r"\A[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z"),
    _("Small letters, digits and hyphens only, such as “main” or “helsinki-2”."),
)
check_currency = RegexValidator(
    re.compile(r"\A[A-Z]{3}\Z"), _("Three capital letters, such as EUR (ISO 4217).")
)
check_colour = RegexValidator(re.compile(r"\A#[0-9a-fA-F]{6}\Z"), _("A colour such as #1f7a4d."))


class Kitchen(models.Model):
    """A place where orders are cooked. Its slug is its key, so that an order names its kitchen without a join."""

    slug = models.CharField(
        _("slug"),
        primary_key=True,
        max_length=50,
        validators=[check_slug],
        help_text=_("Names the kitchen in the API and can't be changed later."),
    )
    name = models.CharField(_("name"), max_length=200)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="Europe/Helsinki", validators=[check_time_zone]
    )
    currency = models.CharField(_("currency"), max_length=3, default="EUR", validators=[check_currency])
    target_minutes = models.PositiveSmallIntegerField(
        _("target, minutes"),
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
        help_text=_("When an order is due whose pickup time had passed before it came."),
    )
    auto_advance = models.BooleanField(
        _("items lift their order"),
        default=True,
        help_text=_("The first item in preparation starts the order, the last one ready makes it ready."),
    )
    recall_minutes = models.PositiveSmallIntegerField(
        _("recall within, minutes"),
        default=30,
        validators=[MaxValueValidator(24 * 60)],
        help_text=_("How long a change can be taken back."),
    )
    release_minutes = models.PositiveSmallIntegerField(
        _("release before due, minutes"),
        default=20,
        validators=[MaxValueValidator(24 * 60)],
        help_text=_("How long before it is due an order for later comes to the wall."),
    )
    retention_days = models.PositiveSmallIntegerField(
        _("keep customer data, days"),
        default=90,
        validators=[MinValueValidator(1)],
        help_text=_(
            "After an order was last changed, names, phone numbers, addresses and notes are removed. "
            "Fewer days hold after 24 hours, more at once."
        ),
    )
    # A shorter time that is pending, and when it applies (orders/retention.py).
    retention_wanted = models.PositiveSmallIntegerField(null=True, editable=False)
    retention_from = models.DateTimeField(null=True, editable=False)
    # How far the removal has got: the last change of the last order that was processed.
    anonymised_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("kitchen")
        verbose_name_plural = _("kitchens")
        ordering = ["slug"]
        permissions = [
            ("work_everywhere", _("Can work in all kitchens")),
            (
                "set_kitchen_policy",
                _("Can set how long customers' data is kept, the time zone and the currency"),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(slug__length__gte=1), name="kitchen_slug_not_empty"),
            models.CheckConstraint(condition=models.Q(name__length__gte=1), name="kitchen_name_not_empty"),
            models.CheckConstraint(condition=models.Q(target_minutes__gte=1), name="kitchen_target_positive"),
            models.CheckConstraint(
                condition=models.Q(retention_days__gte=1), name="kitchen_retention_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def target(self) -> timedelta:
        return timedelta(minutes=self.target_minutes)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class Brand(models.Model):
    """What we know of a brand id that channels send. Orders may name brands that aren't here."""

    id = models.CharField(_("id"), primary_key=True, max_length=128, help_text=_("As the channel sends it."))
    name = models.CharField(_("name"), max_length=200)
    colour = models.CharField(_("colour"), max_length=7, default="#1f7a4d", validators=[check_colour])

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(id__length__gte=1), name="brand_id_not_empty"),
            models.CheckConstraint(condition=models.Q(name__length__gte=1), name="brand_name_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name


class KitchenMember(models.Model):
    """A user's kitchen. Who may work everywhere (permission `orders.work_everywhere`) needs none."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="kitchens")
    # No index of its own: pages ask for a user's kitchens, never for a kitchen's users.
    kitchen = models.ForeignKey(
        Kitchen, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("kitchen")
    )

    class Meta:
        verbose_name = _("kitchen of a user")
        verbose_name_plural = _("kitchens of a user")
        constraints = [models.UniqueConstraint(fields=["user", "kitchen"], name="member_once_in_kitchen")]

    def __str__(self) -> str:
        return str(self.kitchen_id)
