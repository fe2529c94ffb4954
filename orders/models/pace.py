"""A kitchen's pace: whether it takes orders from channels, and how long it needs."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models.kitchens import Kitchen

LONGEST_MINUTES = 240


class PaceMode(models.TextChoices):
    ONLINE = "online", _("Online")
    BUSY = "busy", _("Busy")
    PAUSED = "paused", _("Paused")


class KitchenPace(models.Model):
    """Written by orders.pace alone. A kitchen without a row is online. A table of its own, because every change of an
    order reads `Kitchen`."""

    kitchen = models.OneToOneField(
        Kitchen, on_delete=models.CASCADE, primary_key=True, related_name="+", verbose_name=_("kitchen")
    )
    mode = models.CharField(_("mode"), max_length=8, choices=PaceMode, default=PaceMode.ONLINE)
    busy_minutes = models.PositiveSmallIntegerField(
        _("busy: later by, minutes"),
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MINUTES)],
        help_text=_("How much later channels are to promise orders while the kitchen is busy."),
    )
    preparation_minutes = models.PositiveSmallIntegerField(
        _("preparation, minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MINUTES)],
        help_text=_("What channels are told an order takes. Empty: they go by their own."),
    )
    # Counts its changes, so that only the latest is sent.
    version = models.PositiveIntegerField(default=0, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    changed_by = models.CharField(_("by"), max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("busy mode of a kitchen")
        verbose_name_plural = _("busy mode")
        constraints = [
            models.CheckConstraint(condition=models.Q(mode__in=PaceMode.values), name="pace_mode_known"),
            models.CheckConstraint(
                condition=models.Q(busy_minutes__range=(1, LONGEST_MINUTES)), name="pace_busy_minutes"
            ),
            models.CheckConstraint(
                condition=models.Q(preparation_minutes__isnull=True)
                | models.Q(preparation_minutes__range=(1, LONGEST_MINUTES)),
                name="pace_preparation_minutes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kitchen_id}: {self.get_mode_display()}"
