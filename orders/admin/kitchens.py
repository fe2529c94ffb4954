"""Kitchens: set up by managers; the slug is chosen once."""

import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2Widget

from orders import clock
from orders.admin.hours import ClosedDaysInline, HoursInline, opening_words
from orders.admin.scope import KitchenScoped
from orders.models import Kitchen, Order


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
        (_("Privacy"), {"fields": ("retention_days",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Kitchen]:
        found: QuerySet[Kitchen] = super().get_queryset(request)
        return found.prefetch_related("opening_hours", "closed_days")

    @display(description=_("now"), label={"open": "success", "closed": "warning", "unknown": "default"})
    def shown_opening(self, kitchen: Kitchen) -> tuple[str, str]:
        return opening_words(kitchen, clock.now())

    @display(description=_("target"), ordering="target_minutes")
    def target(self, kitchen: Kitchen) -> str:
        return _("%d min") % kitchen.target_minutes

    def get_readonly_fields(self, request: HttpRequest, obj: Kitchen | None = None) -> Any:
        # Orders and addresses of the API hold the slug.
        return () if obj is None else ("slug",)

    def has_delete_permission(self, request: HttpRequest, obj: Kitchen | None = None) -> bool:
        # One by one, and only while it has no order: the page that asks “are you sure?” would list them all.
        if obj is None or Order.objects.filter(kitchen=obj).exists():
            return False
        return super().has_delete_permission(request, obj)
