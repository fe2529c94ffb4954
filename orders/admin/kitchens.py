"""Kitchens: set up by managers; the slug is chosen once."""

import zoneinfo
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelect2Widget

from orders import clock, retention
from orders.access import SET_POLICY, kitchens_of
from orders.admin.hours import ClosedDaysInline, HoursInline, opening_words
from orders.admin.scope import KitchenScoped
from orders.admin.sections import Alert, register_alerts
from orders.models import Kitchen, Order

# Settings that destroy data or change past figures: not for those who run one kitchen.
POLICY = ("time_zone", "currency", "retention_days")


class KitchenForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [(name, name) for name in sorted(zoneinfo.available_timezones())],
        widget=UnfoldAdminSelect2Widget,
        initial="Europe/Helsinki",
        help_text=_("The times of its orders are shown in it."),
    )

    class Meta:
        model = Kitchen
        fields = "__all__"  # noqa: DJ007  (the admin's fieldsets name them)


@admin.register(Kitchen)
class KitchenAdmin(KitchenScoped, ModelAdmin):
    form = KitchenForm
    kitchen_lookup = "pk"
    list_display = ("name", "slug", "shown_opening", "target", "auto_advance", "time_zone", "currency")
    search_fields = ("name", "slug")
    inlines = (HoursInline, ClosedDaysInline)
    actions_detail = ("keep_days",)
    fieldsets = (
        (None, {"fields": (("name", "slug"), ("time_zone", "currency"))}),
        (
            _("Working"),
            {
                "fields": (
                    ("target_minutes", "release_minutes", "recall_minutes"),
                    "auto_advance",
                )
            },
        ),
        (_("Privacy"), {"fields": ("retention_days", "shown_shortening")}),
    )
    readonly_fields = ("shown_shortening",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Kitchen]:
        kitchens: QuerySet[Kitchen] = super().get_queryset(request)
        return kitchens.prefetch_related("opening_hours", "closed_days")

    @display(description=_("now"), label={"open": "success", "closed": "warning", "unknown": "default"})
    def shown_opening(self, kitchen: Kitchen) -> tuple[str, str]:
        return opening_words(kitchen, clock.now())

    @display(description=_("target"), ordering="target_minutes")
    def target(self, kitchen: Kitchen) -> str:
        return _("%d min") % kitchen.target_minutes

    def get_readonly_fields(self, request: HttpRequest, obj: Kitchen | None = None) -> Any:
        if obj is None:
            return self.readonly_fields
        # Orders and addresses of the API hold the slug.
        fields = (*self.readonly_fields, "slug")
        return fields if request.user.has_perm(SET_POLICY) else (*fields, *POLICY)

    @display(description=_("to come"))
    def shown_shortening(self, kitchen: Kitchen) -> str:
        waiting = retention.pending(kitchen)
        return waiting.sentence() if waiting else "–"

    def save_model(self, request: HttpRequest, obj: Kitchen, form: forms.ModelForm, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        # Only what was changed, because the hourly removal of data writes the row too. At least one field, because its
        # post_save updates the screens after a change of opening hours.
        changed = set(form.changed_data)
        obj.save(update_fields=sorted(changed - {"retention_days"}) or ["name"])
        if "time_zone" in changed:
            text = _("Days and hours of all figures, past ones too, are cut by the new time zone.")
            self.message_user(request, text, messages.WARNING)
        if "retention_days" not in changed:
            return
        waiting = retention.set_days(obj.pk, obj.retention_days, user=request.user)
        if waiting is not None:
            back = _("Until then it can be taken back: “Keep the present days”.")
            self.message_user(request, f"{waiting.sentence()} {back}", messages.WARNING)

    def has_keep_days_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Only while a shorter time is pending."""
        waits = (
            object_id is None or Kitchen.objects.filter(pk=object_id, retention_from__isnull=False).exists()
        )
        return waits and bool(request.user.has_perm(SET_POLICY))

    @action(
        description=_("Keep the present days"), url_path="keep-days", permissions=["keep_days"], icon="undo"
    )
    def keep_days(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A GET asks, a POST does."""
        kitchen = self.get_object(request, object_id)
        if kitchen is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        page = reverse("admin:orders_kitchen_change", args=[quote(kitchen.pk)])
        if request.method == "POST":
            if retention.withdraw(kitchen.pk, user=request.user):
                text = gettext("Customers' data is kept for %(days)d days, as before.")
                self.message_user(request, text % {"days": kitchen.retention_days}, messages.SUCCESS)
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": kitchen.name,
            "opts": self.opts,
            "sentence": self.shown_shortening(kitchen),
            "days": kitchen.retention_days,
            "back": page,
        }
        return TemplateResponse(request, "orders/admin/keep_days.html", context)

    def has_delete_permission(self, request: HttpRequest, obj: Kitchen | None = None) -> bool:
        # One by one, and only while it has no order: the confirmation page would list them all.
        if obj is None or Order.objects.filter(kitchen=obj).exists():
            return False
        return super().has_delete_permission(request, obj)


def retention_alerts(request: HttpRequest) -> Iterator[Alert]:
    """Kitchens whose customers' data will be removed within a day; one statement where there is none."""
    if not request.user.has_perm("orders.change_kitchen"):
        return
    allowed = kitchens_of(request.user)
    waiting = Kitchen.objects.filter(retention_from__isnull=False)
    for kitchen in waiting if allowed is None else waiting.filter(pk__in=allowed):
        shortening = retention.pending(kitchen)
        if shortening is not None:
            yield Alert(
                shortening.sentence(), reverse("admin:orders_kitchen_change", args=[quote(kitchen.pk)])
            )


register_alerts(retention_alerts)
