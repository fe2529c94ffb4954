"""Stations: a name, and rules that say which products it makes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from kitchen_display import hints
from kitchen_display.admin.products import recent_products
from kitchen_display.configuration import EXACT, forget_kitchen_configs
from kitchen_display.models import Station, StationRule
from orders.admin.scope import KitchenFilter, KitchenScoped


class RuleInline(TabularInline):
    model = StationRule
    show_title = False
    fields = ("plu", "is_prefix")
    extra = 1
    verbose_name_plural = _("what this station makes")


@admin.register(Station)
class StationAdmin(KitchenScoped, ModelAdmin):
    list_display = ("name", "kitchen", "slug", "rule_count", "screen_count")
    list_filter = (("kitchen", KitchenFilter),)
    list_select_related = ("kitchen",)
    search_fields = ("name", "slug")
    # Repeated here: the model's own ordering is dropped by annotations that count.
    ordering = ("kitchen", "name")
    fields = ("kitchen", "name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (RuleInline,)

    change_form_after_template = "kitchen_display/admin/products.html"

    class Media:
        js = ("kitchen_display/js/admin-stations.js",)
        css = {"all": ("kitchen_display/css/admin.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Station]:
        counts = {"rules_n": Count("rules", distinct=True), "screens_n": Count("screens", distinct=True)}
        stations: QuerySet[Station] = super().get_queryset(request).annotate(**counts)
        return stations

    @display(description=_("rules"), ordering="rules_n")
    def rule_count(self, station: Station) -> int:
        return int(station.rules_n)  # type: ignore[attr-defined]

    @display(description=_("screens"), ordering="screens_n")
    def screen_count(self, station: Station) -> int:
        return int(station.screens_n)  # type: ignore[attr-defined]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Below the rules: at which stations recent products are shown by them."""
        station = self.get_object(request, object_id) if object_id else None
        context = {**(extra_context or {})}
        if isinstance(station, Station):
            context |= {"station": station, "products": recent_products(station), "exact": EXACT}
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def get_readonly_fields(self, request: HttpRequest, obj: Station | None = None) -> Any:
        # Screens and rules belong to the station of this kitchen.
        return () if obj is None else ("kitchen", "slug")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Station | None = None) -> Any:
        return self.prepopulated_fields if obj is None else {}

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        _rules_changed(form.instance.kitchen_id)

    def delete_model(self, request: HttpRequest, obj: Station) -> None:
        super().delete_model(request, obj)
        _rules_changed(obj.kitchen_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Station]) -> None:
        kitchens = set(queryset.values_list("kitchen_id", flat=True))
        super().delete_queryset(request, queryset)
        for kitchen in kitchens:
            _rules_changed(kitchen)


def _rules_changed(kitchen: str) -> None:
    """After a change of rules: this process forgets the old ones at once, others within 3 s; screens fetch again.

    Not before the commit: another thread would read the old ones again and cache them.
    """
    transaction.on_commit(forget_kitchen_configs)
    hints.publish_on_commit(kitchen, hints.SCREENS)
