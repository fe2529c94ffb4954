"""Busy mode: each kitchen's pace, which is sent to its channels."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from orders.access import actor_of
from orders.admin.formatting import format_time, who
from orders.admin.scope import KitchenScoped
from orders.models import Kitchen, KitchenPace, PaceMode
from orders.pace import set_pace


@admin.register(KitchenPace)
class KitchenPaceAdmin(KitchenScoped, ModelAdmin):
    list_display = ("shown_kitchen", "shown_mode", "shown_preparation", "shown_changed")
    list_select_related = ("kitchen",)
    ordering = ("kitchen__name",)
    fields = ("kitchen", "mode", "busy_minutes", "preparation_minutes", "shown_changed")
    readonly_fields = ("kitchen", "shown_changed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[KitchenPace]:
        # A kitchen that was never paused has a line too.
        missing = Kitchen.objects.exclude(pk__in=KitchenPace.objects.values("pk"))
        added = [KitchenPace(kitchen_id=slug) for slug in missing.values_list("pk", flat=True)]
        if added:
            KitchenPace.objects.bulk_create(added, ignore_conflicts=True)
        return super().get_queryset(request)

    @display(description=_("kitchen"), ordering="kitchen__name")
    def shown_kitchen(self, pace: KitchenPace) -> str:
        return pace.kitchen.name

    @display(
        description=_("mode"),
        label={PaceMode.ONLINE: "success", PaceMode.BUSY: "warning", PaceMode.PAUSED: "danger"},
    )
    def shown_mode(self, pace: KitchenPace) -> tuple[str, Any]:
        word: str | Promise = PaceMode(pace.mode).label
        if pace.mode == PaceMode.BUSY:
            return pace.mode, _("busy: +%d min") % pace.busy_minutes
        return pace.mode, word

    @display(description=_("preparation"))
    def shown_preparation(self, pace: KitchenPace) -> str:
        return "–" if pace.preparation_minutes is None else _("%d min") % pace.preparation_minutes

    @display(description=_("changed"))
    def shown_changed(self, pace: KitchenPace) -> str:
        if not pace.version:
            return "–"
        return f"{format_time(pace.changed_at, pace.kitchen)}, {who(pace.changed_by)[1]}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: KitchenPace | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: KitchenPace, form: forms.ModelForm, change: bool) -> None:
        """Through the service, which notifies channels and screens."""
        set_pace(
            obj.kitchen,
            mode=obj.mode,
            busy_minutes=obj.busy_minutes,
            preparation_minutes=obj.preparation_minutes,
            actor=actor_of(request.user),
        )
