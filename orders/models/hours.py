"""When a kitchen is open: weekly hours, and days on which it is closed."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from orders.models.kitchens import Kitchen

MONDAY, SUNDAY = 0, 6


class OpeningHours(models.Model):
    """One interval of the week, in the kitchen's zone. It belongs to the day on which it begins: one that closes at or
    before its opening time goes on past midnight, and 00:00 to 00:00 is the whole day. Without any, the
    kitchen's hours are unknown."""

    kitchen = models.ForeignKey(
        Kitchen,
        on_delete=models.CASCADE,
        related_name="opening_hours",
        db_index=False,  # the unique constraint begins with it
        verbose_name=_("kitchen"),
    )
    weekday = models.PositiveSmallIntegerField(_("day"), choices=list(WEEKDAYS.items()))
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(
        _("closes"), help_text=_("At or before the opening time: past midnight, on the next day.")
    )

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weekday__range=(MONDAY, SUNDAY)), name="hours_weekday_known"
            ),
            models.UniqueConstraint(
                fields=["kitchen", "weekday", "opens"],
                name="hours_begin_once",
                violation_error_message=_("There are hours already that begin on this day at this time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.opens:%H:%M}–{self.closes:%H:%M}"


class ClosedDays(models.Model):
    """Days on which no hours begin, both ends included: a holiday, a week in summer."""

    kitchen = models.ForeignKey(
        Kitchen, on_delete=models.CASCADE, related_name="closed_days", verbose_name=_("kitchen")
    )
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"), blank=True, help_text=_("Empty: this one day."))
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("closed days")
        verbose_name_plural = _("closed days")
        ordering = ["first", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last__gte=models.F("first")), name="closed_days_end_after_begin"
            ),
        ]

    def __str__(self) -> str:
        days = (
            f"{self.first:%Y-%m-%d}"
            if self.first == self.last
            else f"{self.first:%Y-%m-%d}–{self.last:%Y-%m-%d}"
        )
        return f"{days} {self.reason}".strip()

    def clean(self) -> None:
        # What a form could not read is missing here, and named by the form.
        first, last = (getattr(self, name) for name in ("first", "last"))
        if first is None:
            return
        if last is None:
            self.last = first
        elif last < first:
            raise ValidationError({"last": _("The last day comes before the first one.")})
