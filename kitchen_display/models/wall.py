"""What the wall remembers of orders: their numbers, alarms, and when a screen first showed them.

Orders are named by their id without a foreign key: their tables may live on a cluster (ADR 1).
"""

from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models import Kitchen

LAST_NUMBER = 999


class TicketNumber(models.Model):
    """The number that a cook presses for a ticket: the lowest free one, kept while the order is on the wall.

    A number rests for a while after its ticket has left, so that a number pressed late never means another order.
    """

    kitchen = models.ForeignKey(Kitchen, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveSmallIntegerField(_("number"))
    order_id = models.CharField(max_length=128, primary_key=True, db_collation="C")
    left_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("ticket number")
        verbose_name_plural = _("ticket numbers")
        constraints = [
            models.UniqueConstraint(fields=["kitchen", "number"], name="number_once_in_kitchen"),
            models.CheckConstraint(
                condition=models.Q(number__range=(1, LAST_NUMBER)), name="ticket_number_range"
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)


# What nobody has acknowledged; in SQL, and as a queryset.
STANDING = "acknowledged_at IS NULL"


class AlarmQuerySet(models.QuerySet[Any]):
    def standing(self) -> Self:
        return self.filter(acknowledged_at=None)


class Alarm(models.Model):
    """An order (`plu` is empty) or an item that was cancelled while it was on the wall, until somebody has seen it."""

    order_id = models.CharField(max_length=128, db_collation="C")
    plu = models.CharField(_("PLU"), max_length=128, blank=True, db_collation="C")
    kitchen = models.ForeignKey(Kitchen, on_delete=models.CASCADE, related_name="+", db_index=False)
    raised_at = models.DateTimeField(_("raised"))
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True)
    acknowledged_by = models.CharField(_("by"), max_length=200, blank=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        indexes = [
            # Boards ask for what nobody has acknowledged; it holds nothing else, so it stays tiny.
            models.Index(
                fields=["kitchen", "order_id"],
                name="alarm_standing",
                condition=models.Q(acknowledged_at__isnull=True),
            ),
            # The purge goes by age.
            models.Index(fields=["raised_at"], name="alarm_raised"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order_id", "plu"], name="alarm_once"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.plu}".strip()


class AmendmentAlarm(models.Model):
    """An order (`plu` is empty) or an item that was amended while it was on the wall, until somebody has seen it.

    `before`: what the values were when somebody last knew them, by field: note, quantity, due_at (RFC 3339, UTC). What
    they are, the order says. `version`: that of the order's latest amendment here; who has seen an older one has not
    seen this. A table of its own: the release before takes each row of `Alarm` for a cancellation (ADR 16).
    """

    order_id = models.CharField(max_length=128, db_collation="C")
    plu = models.CharField(_("PLU"), max_length=128, blank=True, db_collation="C")
    kitchen = models.ForeignKey(Kitchen, on_delete=models.CASCADE, related_name="+", db_index=False)
    version = models.PositiveIntegerField(_("version"))
    before = models.JSONField(_("before"))
    raised_at = models.DateTimeField(_("raised"))
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True)
    acknowledged_by = models.CharField(_("by"), max_length=200, blank=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm of an amendment")
        verbose_name_plural = _("alarms of amendments")
        indexes = [
            # As those of `Alarm`: what boards ask for, and what the purge does.
            models.Index(
                fields=["kitchen", "order_id"],
                name="amendment_alarm_standing",
                condition=models.Q(acknowledged_at__isnull=True),
            ),
            models.Index(fields=["raised_at"], name="amendment_alarm_raised"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order_id", "plu"], name="amendment_alarm_once"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.plu}".strip()


class Sighting(models.Model):
    """The first time that a screen reported to show an order."""

    order_id = models.CharField(max_length=128, primary_key=True, db_collation="C")
    screen = models.ForeignKey(
        "kitchen_display.Screen", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("sighting")
        verbose_name_plural = _("sightings")
        indexes = [
            # The purge goes by age.
            models.Index(fields=["at"], name="sighting_at"),
        ]

    def __str__(self) -> str:
        return self.order_id
