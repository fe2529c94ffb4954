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
from kitchen_display.configuration import forget_configuration
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
    # Said here: the model's own order is left out where rows are counted.
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
        found: QuerySet[Station] = super().get_queryset(request).annotate(**counts)
        return found

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
        """Below the rules: where recent products go by them."""
        station = self.get_object(request, object_id) if object_id else None
        context = {**(extra_context or {})}
        if isinstance(station, Station):
            context |= {"station": station, "products": recent_products(station)}
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def get_readonly_fields(self, request: HttpRequest, obj: Station | None = None) -> Any:
        # Screens and rules hang on the station of this kitchen.
        return () if obj is None else ("kitchen", "slug")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Station | None = None) -> Any:
        return self.prepopulated_fields if obj is None else {}

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        tell(form.instance.kitchen_id)

    def delete_model(self, request: HttpRequest, obj: Station) -> None:
        super().delete_model(request, obj)
        tell(obj.kitchen_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Station]) -> None:
        kitchens = set(queryset.values_list("kitchen_id", flat=True))
        super().delete_queryset(request, queryset)
        for kitchen in kitchens:
            tell(kitchen)


def tell(kitchen: str) -> None:
    """Rules have changed: this process forgets them at once, others within 3 s; screens ask again.

    Not before the commit: another thread would read the old ones again, and keep them.
    """
    transaction.on_commit(forget_configuration)
    hints.publish_on_commit(kitchen, hints.SCREENS)
