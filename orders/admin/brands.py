"""Brands: a name and a colour for the brand ids that channels send."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminColorInputWidget

from orders.models import Brand


class BrandForm(forms.ModelForm):
    class Meta:
        model = Brand
        fields = ("id", "name", "colour")
        widgets = {"colour": UnfoldAdminColorInputWidget}


@admin.register(Brand)
class BrandAdmin(ModelAdmin):
    form = BrandForm
    list_display = ("shown_name", "id")
    search_fields = ("name", "id")

    @display(description=_("name"), ordering="name")
    def shown_name(self, brand: Brand) -> SafeString:
        return brand_mark(brand, brand.id)

    def get_readonly_fields(self, request: HttpRequest, obj: Brand | None = None) -> Any:
        return () if obj is None else ("id",)


def brand_mark(brand: Brand | None, brand_id: str) -> SafeString:
    """A dot in the brand's colour and its name; of a brand that nobody has named, its id."""
    if brand is None:
        return format_html('<span class="huuva-brand huuva-quiet">{}</span>', brand_id)
    return format_html(
        '<span class="huuva-brand"><svg viewBox="0 0 10 10" aria-hidden="true">'
        '<circle cx="5" cy="5" r="5" fill="{}"/></svg>{}</span>',
        brand.colour,
        brand.name,
    )
