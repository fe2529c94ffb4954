"""The log of deliveries: each attempt with its answer; and sending again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from integrations.deliveries import replay
from integrations.models import Delivery, Sink
from orders.access import kitchens_of, sees_customers
from orders.admin.paging import InfinitePaginator
from orders.admin.scope import KitchenScoped

# In the filter; the deliveries of others are linked from their pages.
MAX_RECEIVERS = 200


class ReceiverFilter(admin.SimpleListFilter):
    title = _("receiver")
    parameter_name = "sink"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        allowed = kitchens_of(request.user)
        receivers = (
            Sink.objects.present() if allowed is None else Sink.objects.present().filter(kitchen__in=allowed)
        )
        return list(receivers.order_by("name", "id").values_list("id", "name")[:MAX_RECEIVERS])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset.filter(sink_id=self.value()) if self.value() else queryset


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [(str(value), label) for value, label in Delivery.State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        known = {str(value) for value in Delivery.State.values}
        return queryset.filter(state=int(self.value() or 0)) if self.value() in known else queryset


@admin.register(Delivery)
class DeliveryAdmin(KitchenScoped, ModelAdmin):
    kitchen_lookup = "sink__kitchen"
    list_display = (
        "event_type", "order_id", "sequence", "shown_receiver", "shown_state", "attempts",
        "last_status", "last_ms", "created_at",
    )  # fmt: skip
    list_filter = (ReceiverFilter, StateFilter)
    list_select_related = ("sink",)
    list_per_page = 50
    # Any other order would sort the whole table.
    ordering = ("-id",)
    sortable_by = ()
    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # Only whole ids: the index of deliveries begins with the order.
    search_fields = ("order_id__exact",)
    search_help_text = _("The id of an order")
    actions = ("send_again",)
    fields = (
        "event_type",
        "order_id",
        "sequence",
        "shown_receiver",
        "state",
        "at",
        "created_at",
        "attempts",
        "next_attempt_at",
        "finished_at",
        "shown_attempts",
    )
    readonly_fields = (*fields, "shown_attempts_without_answers")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        # PostgreSQL's text holds no NUL.
        term = search_term.replace("\0", "").strip()
        return (queryset.filter(order_id=term) if term else queryset), False

    @display(description=_("receiver"))
    def shown_receiver(self, delivery: Delivery) -> str:
        return delivery.sink.name

    @display(
        description=_("state"),
        label={"waiting": "info", "delivered": "success", "given_up": "danger", "skipped": "warning"},
    )
    def shown_state(self, delivery: Delivery) -> tuple[str, str]:
        state = Delivery.State(delivery.state)
        return state.name.lower(), str(state.label)

    def get_fields(self, request: HttpRequest, obj: Delivery | None = None) -> Any:
        # Answers may repeat customers' data.
        attempts = "shown_attempts" if sees_customers(request.user) else "shown_attempts_without_answers"
        return (*self.fields[:-1], attempts)

    @display(description=_("tries"))
    def shown_attempts_without_answers(self, delivery: Delivery) -> str | SafeString:
        return _attempts([{**entry, "answer": ""} for entry in delivery.log])

    @display(description=_("tries"))
    def shown_attempts(self, delivery: Delivery) -> str | SafeString:
        return _attempts(delivery.log)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("integrations.change_webhookendpoint"))

    @admin.action(description=_("Send again"), permissions=["replay"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        count = 0
        for delivery in queryset:
            try:
                replay.replay_delivery(delivery)
                count += 1
            except replay.NotActive:
                self.message_user(
                    request, _("%s is disabled; enable it first.") % delivery.sink, messages.ERROR
                )
        self.message_user(
            request, ngettext("%d delivery waits.", "%d deliveries wait.", count) % count, messages.SUCCESS
        )


def _attempts(log: list[dict[str, Any]]) -> str | SafeString:
    if not log:
        return "–"
    rows = format_html_join(
        "",
        "<tr><td>{}</td><td>{}</td><td>{} ms</td><td>{}</td></tr>",
        (
            (entry["at"][:19], entry["status"] or entry["error"], entry["ms"], entry["answer"])
            for entry in log
        ),
    )
    return format_html('<table class="huuva-tries">{}</table>', rows)
