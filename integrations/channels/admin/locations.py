"""Locations that channels name: the kitchen of each, and the messages that wait for it to be set."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from integrations.channels.admin.messages import actor, in_utc
from integrations.channels.replay import replay_location
from integrations.models import ChannelLocation, ChannelMessage
from orders.admin.scope import KitchenScoped


class UnknownFilter(admin.SimpleListFilter):
    title = _("kitchen")
    parameter_name = "unknown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Without a kitchen"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ChannelLocation]
    ) -> QuerySet[ChannelLocation]:
        return queryset.filter(kitchen=None) if self.value() == "yes" else queryset


@admin.register(ChannelLocation)
class ChannelLocationAdmin(KitchenScoped, ModelAdmin):
    list_display = ("external_id", "link", "shown_kitchen", "shown_waiting", "shown_created")
    list_filter = (UnknownFilter, "link")
    list_select_related = ("link", "kitchen")
    search_fields = ("external_id",)
    ordering = ("link__name", "external_id")
    actions = ("take_in",)
    fields = ("link", "external_id", "kitchen")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChannelLocation]:
        """With `waiting`, the number of unsettled messages of the location."""
        waiting = (
            ChannelMessage.objects.unsettled()
            .filter(link=OuterRef("link"), location=OuterRef("external_id"))
            .order_by()
            .values("link")
            .annotate(count=Count("pk"))
            .values("count")
        )
        return super().get_queryset(request).annotate(waiting=Coalesce(Subquery(waiting), 0))

    def get_readonly_fields(self, request: HttpRequest, obj: ChannelLocation | None = None) -> Any:
        return () if obj is None else ("link", "external_id")

    @display(description=_("kitchen"), label={"unknown": "danger", "known": "default"})
    def shown_kitchen(self, location: ChannelLocation) -> tuple[str, Any]:
        return (
            ("known", location.kitchen.name)
            if location.kitchen
            else ("unknown", _("none: orders are refused"))
        )

    @display(description=_("created"), ordering="created_at")
    def shown_created(self, location: ChannelLocation) -> str:
        return in_utc(location.created_at)

    @display(description=_("waiting"))
    def shown_waiting(self, location: ChannelLocation) -> int:
        return location.waiting  # type: ignore[attr-defined]

    def save_model(
        self, request: HttpRequest, obj: ChannelLocation, form: forms.ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        waiting = ChannelMessage.objects.unsettled().filter(link=obj.link, location=obj.external_id).count()
        if obj.kitchen and waiting:
            text = ngettext(
                "%d message waits for this place: take it in by the action in the list, where it is still wanted.",
                "%d messages wait for this place: take them in by the action in the list, where they are still wanted.",
                waiting,
            )
            self.message_user(request, text % waiting, messages.WARNING)

    @admin.action(description=_("Take in what waits for it"), permissions=["change"])
    def take_in(self, request: HttpRequest, queryset: QuerySet[ChannelLocation]) -> None:
        succeeded = refused = 0
        for location in queryset:
            counts = replay_location(location, by=actor(request))
            succeeded, refused = succeeded + counts[0], refused + counts[1]
        text = ngettext("%d message taken in.", "%d messages taken in.", succeeded) % succeeded
        self.message_user(request, text, messages.SUCCESS if succeeded else messages.INFO)
        if refused:
            text = (
                ngettext("%d message was refused again.", "%d messages were refused again.", refused)
                % refused
            )
            self.message_user(request, text, messages.WARNING)
