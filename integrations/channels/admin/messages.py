"""Messages of channels: what came, its outcome, and what a manager can still do about it."""

import json
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from integrations.channels.replay import give_up, replay
from integrations.deliveries.replay import NotActive, replay_delivery
from integrations.models import ChannelLocation, ChannelMessage, Delivery
from orders.access import kitchens_of, sees_customers
from orders.admin.paging import InfinitePaginator
from orders.admin.scope import KitchenScoped
from orders.models import Order

Outcome = ChannelMessage.Outcome
LOOKS = {
    Outcome.TAKEN: "success",
    Outcome.CANCELLED: "info",
    Outcome.WAITING: "info",
    Outcome.REPEATED: "default",
    Outcome.NOTED: "default",
    Outcome.UNKNOWN_LOCATION: "danger",
    Outcome.INVALID: "danger",
    Outcome.REFUSED: "warning",
}


class TroubleFilter(admin.SimpleListFilter):
    title = _("needs attention")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Not settled yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChannelMessage]) -> QuerySet[ChannelMessage]:
        return queryset & ChannelMessage.objects.unsettled() if self.value() == "yes" else queryset


def in_utc(at: datetime | None) -> str:
    """Messages may have no kitchen yet, so their times are shown in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "–"


def actor(request: HttpRequest) -> str:
    return f"user:{request.user.get_username()}"


def may_replay(request: HttpRequest) -> bool:
    """Whether the user may send deliveries again: managers of webhooks and of channels."""
    permissions = ("integrations.change_webhookendpoint", "integrations.change_channellink")
    return any(request.user.has_perm(permission) for permission in permissions)


@admin.register(ChannelMessage)
class ChannelMessageAdmin(KitchenScoped, ModelAdmin):
    list_display = (
        "shown_at",
        "link",
        "shown_outcome",
        "matter",
        "shown_order",
        "channel_status",
        "status_code",
        "request_id",
    )
    list_filter = (TroubleFilter, "outcome", "link")
    list_select_related = ("link",)
    list_per_page = 50
    ordering = ("-at", "-id")
    sortable_by = ()
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ("=external_id", "=order_id", "=request_id")
    search_help_text = _("The channel's order id, ours, or a request id, whole")
    actions = ("replay_messages", "give_up_messages")

    def get_fields(self, request: HttpRequest, obj: ChannelMessage | None = None) -> Any:
        shown: tuple[Any, ...] = (
            ("shown_at", "link"), ("outcome", "status_code"), "detail", ("matter", "channel_status"),
            ("external_id", "location"), "shown_order", "request_id", "shown_replay_of",
            ("shown_settled", "settled_by"),
        )  # fmt: skip
        if self.has_change_permission(request, obj):
            shown = (("shown_buttons", *shown[0]), *shown[1:])
        return (*shown, "shown_payload") if sees_customers(request.user) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: ChannelMessage | None = None) -> Any:
        names: list[str] = []
        for field in self.get_fields(request, obj):
            names += [field] if isinstance(field, str) else field
        return names

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChannelMessage]:
        queryset = super().get_queryset(request)
        # A list of 50 does not load 50 payloads.
        is_list = request.resolver_match.url_name.endswith("_changelist")  # type: ignore[union-attr]
        return queryset.defer("payload") if is_list else queryset

    def of_kitchens(
        self, rows: QuerySet[ChannelMessage], allowed: frozenset[str]
    ) -> QuerySet[ChannelMessage]:
        """What came for the places that these kitchens cook for."""
        places = ChannelLocation.objects.filter(
            kitchen__in=allowed, link=OuterRef("link"), external_id=OuterRef("location")
        )
        return rows.filter(Exists(places))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ChannelMessage | None = None) -> bool:
        return False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Nothing here is saved: the buttons act."""
        context = {
            **(kwargs.pop("extra_context", None) or {}),
            "show_save": False,
            "show_save_and_continue": False,
        }
        return super().change_view(request, object_id, *args, extra_context=context, **kwargs)

    @display(description=_("at"))
    def shown_at(self, message: ChannelMessage) -> str:
        return in_utc(message.at)

    @display(description=_("settled"))
    def shown_settled(self, message: ChannelMessage) -> str:
        return in_utc(message.settled_at)

    @display(description=_("outcome"), label=LOOKS)
    def shown_outcome(self, message: ChannelMessage) -> tuple[str, str]:
        return message.outcome, message.get_outcome_display()

    @display(description=_("order"))
    def shown_order(self, message: ChannelMessage) -> str | SafeString:
        if message.outcome in ChannelMessage.FAILED or not message.order_id:
            return message.external_id
        url = reverse("admin:orders_order_change", args=[message.order_id])
        return format_html('<a href="{}">{}</a>', url, message.order_id)

    @display(description=_("replay of"))
    def shown_replay_of(self, message: ChannelMessage) -> str | SafeString:
        if message.replay_of_id is None:
            return ""
        url = reverse("admin:integrations_channelmessage_change", args=[message.replay_of_id])
        return format_html('<a href="{}">{}</a>', url, message.replay_of_id)

    @display(description=_("payload"))
    def shown_payload(self, message: ChannelMessage) -> SafeString:
        try:
            text = json.dumps(json.loads(message.payload), indent=2, ensure_ascii=False)
        except ValueError:
            text = message.payload
        return format_html('<pre class="huuva-payload">{}</pre>', text)

    @admin.action(description=_("Take in now"), permissions=["change"])
    def replay_messages(self, request: HttpRequest, queryset: QuerySet[ChannelMessage]) -> None:
        # Oldest first: a cancellation after its order.
        chosen = list(
            ChannelMessage.objects.filter(pk__in=queryset.values("pk")).select_related("link").order_by("at")
        )
        for message in chosen:
            self._replay(request, message)

    @admin.action(description=_("Give up: tell the channel that it failed"), permissions=["change"])
    def give_up_messages(self, request: HttpRequest, queryset: QuerySet[ChannelMessage]) -> None:
        chosen = ChannelMessage.objects.filter(pk__in=queryset.values("pk")).select_related("link")
        count = sum(give_up(message, by=actor(request)) for message in list(chosen))
        text = ngettext("%d message given up.", "%d messages given up.", count) % count
        self.message_user(request, text, messages.SUCCESS if count else messages.INFO)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/replay/",
                wrap(require_POST(self.replay_view)),
                name="integrations_channelmessage_replay",
            ),
            path(
                "<int:pk>/give-up/",
                wrap(require_POST(self.give_up_view)),
                name="integrations_channelmessage_give_up",
            ),
            path(
                "deliveries/<int:pk>/replay/",
                wrap(require_POST(self.replay_delivery_view)),
                name="integrations_channelmessage_replay_delivery",
            ),
            *super().get_urls(),
        ]

    @display(description=_("to do"))
    def shown_buttons(self, message: ChannelMessage) -> str | SafeString:
        """Buttons of the page's own form: they change something, so they are no links."""
        if not message.is_unsettled:
            return gettext("Nothing.")
        buttons = [
            (reverse("admin:integrations_channelmessage_replay", args=[message.pk]), gettext("Take in now")),
            (reverse("admin:integrations_channelmessage_give_up", args=[message.pk]), gettext("Give up")),
        ]
        return format_html_join(
            " ",
            '<button type="submit" class="huuva-button" formnovalidate formaction="{}">{}</button>',
            buttons,
        )

    def _asked(self, request: HttpRequest, pk: int) -> ChannelMessage | None:
        """The message that a POST is about. Raises PermissionDenied."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return self.get_queryset(request).select_related("link").filter(pk=pk).first()

    def replay_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        message = self._asked(request, pk)
        replayed = message and self._replay(request, message)
        return self._back(request, message, replayed)

    def give_up_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        message = self._asked(request, pk)
        if message is not None and give_up(message, by=actor(request)):
            self.message_user(request, gettext("Given up."), messages.SUCCESS)
        return self._back(request, message)

    def replay_delivery_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Replay a delivery from the order's page, whatever its receiver."""
        if not may_replay(request):
            raise PermissionDenied
        delivery = Delivery.objects.filter(pk=pk).first()
        allowed = kitchens_of(request.user)
        if delivery is None or not (
            allowed is None or Order.objects.filter(pk=delivery.order_id, kitchen__in=allowed).exists()
        ):
            return HttpResponseRedirect(reverse("admin:orders_order_changelist"))
        try:
            replay_delivery(delivery)
        except NotActive:
            self.message_user(request, gettext("The receiver is disabled."), messages.ERROR)
        else:
            self.message_user(request, gettext("It is sent again."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[delivery.order_id]))

    @staticmethod
    def _back(
        request: HttpRequest, message: ChannelMessage | None, replayed: ChannelMessage | None = None
    ) -> HttpResponse:
        """To the order's page where the button was there, else to the message, or to the `replayed` one."""
        if message is None:
            return HttpResponseRedirect(reverse("admin:integrations_channelmessage_changelist"))
        if request.POST.get("from") == "order" and message.order_id:
            return HttpResponseRedirect(reverse("admin:orders_order_change", args=[message.order_id]))
        shown = replayed or message
        return HttpResponseRedirect(reverse("admin:integrations_channelmessage_change", args=[shown.pk]))

    def _replay(self, request: HttpRequest, message: ChannelMessage) -> ChannelMessage:
        result, replayed = replay(message, by=actor(request))
        if result.problem is None:
            text = gettext("%(id)s: %(outcome)s.") % {
                "id": message.external_id or message.pk,
                "outcome": replayed.get_outcome_display(),
            }
            self.message_user(request, text, messages.SUCCESS)
        else:
            self.message_user(
                request, f"{message.external_id or message.pk}: {result.problem.text}", messages.ERROR
            )
        return replayed
