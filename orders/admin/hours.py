"""Opening hours and closed days, on the page of their kitchen."""

from datetime import datetime
from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import StackedInline, TabularInline
from unfold.widgets import INPUT_CLASSES

from orders.hours import DAYS_OF_WEEK, describe_time, opening_of, overlapping
from orders.models import ClosedDays, Kitchen, OpeningHours


class ClockInput(forms.TimeInput):
    """The browser's own time picker."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(attrs={"class": " ".join((*INPUT_CLASSES, "huuva-clock"))}, format="%H:%M")


class HoursForm(forms.ModelForm):
    class Meta:
        model = OpeningHours
        fields = ("weekday", "opens", "closes")
        widgets = {"opens": ClockInput, "closes": ClockInput}

    def has_changed(self) -> bool:
        """A new line with a day but no time counts as empty."""
        changed = set(self.changed_data)
        return bool(changed if self.instance.pk is not None else changed & {"opens", "closes"})


class HoursFormSet(BaseInlineFormSet):
    """A kitchen without hours is offered a line for each day; those that stay empty are not stored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kitchen = kwargs.get("instance")
        if kitchen is None or not kitchen.pk or not kitchen.opening_hours.exists():
            kwargs["initial"] = [{"weekday": day} for day in range(DAYS_OF_WEEK)]
        super().__init__(*args, **kwargs)

    def clean(self) -> None:
        if any(self.errors):
            return
        remaining = [
            form
            for form in self.forms
            if (form.has_changed() or form.instance.pk) and not form.cleaned_data.get("DELETE")
        ]
        both = overlapping([form.instance for form in remaining])
        if both is None:
            super().clean()
            return
        first, second = both
        wrong = next(form for form in remaining if form.instance is second)
        text = _("%(hours)s overlaps with %(other)s: let one end before the other begins.")
        wrong.add_error("opens", text % {"hours": second, "other": first})


class HoursInline(TabularInline):
    model = OpeningHours
    form = HoursForm
    formset = HoursFormSet
    verbose_name = gettext_lazy("opening time")
    verbose_name_plural = gettext_lazy("opening hours, in the kitchen's time zone")
    show_title = False
    # A week of four shifts a day.
    max_num = 4 * DAYS_OF_WEEK

    def get_extra(self, request: HttpRequest, obj: Kitchen | None = None, **kwargs: Any) -> int:
        return 0 if obj is not None and obj.opening_hours.exists() else DAYS_OF_WEEK


class ClosedDaysInline(StackedInline):
    model = ClosedDays
    verbose_name = gettext_lazy("closed day")
    verbose_name_plural = gettext_lazy("closed days")
    fields = (("first", "last", "reason"),)
    extra = 0


def opening_words(kitchen: Kitchen, at: datetime) -> tuple[str, str]:
    """A word for the badge's colour, and what it says: “open until 22:00”, “closed, opens Mon 10:00”. Reads the
    kitchen's `opening_hours` and `closed_days`, which should be prefetched."""
    opening = opening_of(kitchen, list(kitchen.opening_hours.all()), list(kitchen.closed_days.all()), at)
    if opening is None:
        return "unknown", _("hours not set")
    state = "open" if opening.is_open else "closed"
    if opening.until is None:
        words = _("always open") if opening.is_open else _("closed")
    else:
        until = describe_time(opening.until, kitchen, at, is_open=opening.is_open)
        words = (_("open until %s") if opening.is_open else _("closed, opens %s")) % until
    return state, f"{words} ({opening.reason})" if opening.reason else words
