"""Webhooks for managers: create (the secret is shown once), change, disable, rotate, test, replay, delete."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from integrations.deliveries import health, replay
from integrations.deliveries.guard import check_url
from integrations.events import EVENTS
from integrations.models import Delivery, Sink, WebhookEndpoint
from integrations.webhooks import endpoints
from orders import audit, clock
from orders.access import sees_customers
from orders.admin.scope import KitchenFilter, KitchenScoped

REPLAY_PERIOD = timedelta(hours=24)
FIELDS = ("name", "url", "events", "kitchen", "channel", "include_customer")
FACTS = (
    "state_label",
    "owner",
    "created_at",
    "last_success_at",
    "failures",
    "failing_since",
    "retry_at",
    "disabled_at",
    "previous_until",
)


class WebhookForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=lambda: [(event, f"{event}: {description}") for event, description in EVENTS.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = WebhookEndpoint
        fields = FIELDS

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        check_url(url)
        return url


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("active", _("Active")), ("failing", _("Failing")), ("disabled", _("Disabled"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]
    ) -> QuerySet[WebhookEndpoint]:
        match self.value():
            case "active":
                return queryset.filter(disabled_at=None)
            case "failing":
                return queryset.filter(disabled_at=None, failures__gt=0)
            case "disabled":
                return queryset.filter(~Q(disabled_at=None))
        return queryset


@admin.register(WebhookEndpoint)
class WebhookAdmin(KitchenScoped, ModelAdmin):
    form = WebhookForm
    list_display = ("name", "url", "shown_state", "shown_kitchen", "shown_events", "owner", "last_success_at")
    list_filter = (StateFilter, ("kitchen", KitchenFilter))
    list_select_related = ("kitchen",)
    search_fields = ("name", "url")
    ordering = ("name", "id")
    fields = FIELDS
    actions = ("enable", "disable", "replay_day", "delete_for_good")
    actions_detail = ("rotate", "send_test", "see_deliveries")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset(request).filter(deleted_at=None)

    @display(description=_("state"), label={"active": "success", "failing": "warning", "disabled": "danger"})
    def shown_state(self, endpoint: WebhookEndpoint) -> tuple[str, str | Promise]:
        return self._state(endpoint)

    @display(description=_("state"))
    def state_label(self, endpoint: WebhookEndpoint) -> str | Promise:
        return self._state(endpoint)[1]

    @staticmethod
    def _state(endpoint: WebhookEndpoint) -> tuple[str, str | Promise]:
        if endpoint.disabled_at is not None:
            return "disabled", f"{_('Disabled')}: {endpoint.get_disabled_reason_display()}"
        if endpoint.failures:
            return "failing", _("Failing")
        return "active", _("Active")

    @display(description=_("kitchen"), ordering="kitchen")
    def shown_kitchen(self, endpoint: WebhookEndpoint) -> str | Promise:
        return endpoint.kitchen.name if endpoint.kitchen else _("all kitchens")

    @display(description=_("events"))
    def shown_events(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.events)

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        settings = (None, {"fields": FIELDS})
        return (settings,) if obj is None else (settings, (_("State"), {"fields": FACTS}))

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        # Users who may not see customers' data may not send it elsewhere either.
        hidden = () if sees_customers(request.user) else ("include_customer",)
        # The kitchen says whose the webhook is.
        return hidden if obj is None else ("kitchen", *hidden, *FACTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Nor to another address. (unfold asks with the id, and the page then again with the webhook.)
        sends = isinstance(obj, WebhookEndpoint) and obj.include_customer
        return (not sends or sees_customers(request.user)) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The admin's own page would list every delivery; there is an action instead.
        return False

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("integrations.delete_webhookendpoint"))

    def save_model(
        self, request: HttpRequest, obj: WebhookEndpoint, form: forms.ModelForm, change: bool
    ) -> None:
        if change:
            endpoints.change(obj, **{name: getattr(obj, name) for name in form.changed_data})
        else:
            # Lives as long as this request: never in the session, a message or a log.
            request.plain_secret = endpoints.create(obj)  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._secret_page(request, obj, request.plain_secret)  # type: ignore[attr-defined]

    def _secret_page(self, request: HttpRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
        audit.record("secret_shown", endpoint, user=request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": _("The secret"),
            "opts": self.opts,
            "webhook": endpoint,
            "secret": secret,
        }
        return TemplateResponse(request, "integrations/secret_shown.html", context)

    @action(description=_("New secret"), icon="key", permissions=["change"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A GET asks for confirmation, a POST does it."""
        endpoint = self._changeable(request, object_id)
        if request.method == "POST":
            secret = endpoints.rotate(endpoint)
            self.log_change(request, endpoint, [{"changed": {"fields": ["secret"]}}])
            return self._secret_page(request, endpoint, secret)
        return self._ask(
            request,
            endpoint,
            _("Give this webhook a new secret? For 24 hours messages are signed by both."),
        )

    @action(description=_("Send a test"), icon="send", permissions=["change"])
    def send_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._changeable(request, object_id)
        if request.method != "POST":
            return self._ask(request, endpoint, _("Send a test message to this webhook?"))
        if endpoint.active:
            endpoints.send_test(endpoint)
            self.message_user(request, _("A test is on its way."), messages.SUCCESS)
        else:
            self.message_user(request, _("This webhook is disabled."), messages.ERROR)
        return HttpResponseRedirect(self._deliveries_url(endpoint.pk))

    @action(description=_("Deliveries"), icon="list_alt", permissions=["view"])
    def see_deliveries(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self._deliveries_url(object_id))

    @staticmethod
    def _deliveries_url(sink_id: str) -> str:
        return reverse("admin:integrations_delivery_changelist", query={"sink": sink_id})

    def _changeable(self, request: HttpRequest, object_id: str) -> WebhookEndpoint:
        endpoint = self.get_object(request, object_id)
        if endpoint is None or not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        return endpoint

    def _ask(self, request: HttpRequest, endpoint: WebhookEndpoint, question: str | Promise) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": endpoint.name,
            "opts": self.opts,
            "question": question,
            "back": reverse("admin:integrations_webhookendpoint_change", args=[endpoint.pk]),
        }
        return TemplateResponse(request, "huuva/ask.html", context)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        done = [endpoint for endpoint in queryset if health.enable(endpoint.pk)]
        self._report(
            request, done, ngettext("%d webhook enabled.", "%d webhooks enabled.", len(done)) % len(done)
        )

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        done = [endpoint for endpoint in queryset if health.disable(endpoint.pk, Sink.Disabled.BY_HAND)]
        self._report(
            request, done, ngettext("%d webhook disabled.", "%d webhooks disabled.", len(done)) % len(done)
        )

    @admin.action(description=_("Send the last 24 hours again"), permissions=["change"])
    def replay_day(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        count = 0
        for endpoint in queryset:
            try:
                count += replay.replay_since(endpoint.pk, clock.now() - REPLAY_PERIOD)
            except replay.NotActive:
                self.message_user(request, _("%s is disabled; enable it first.") % endpoint, messages.ERROR)
            except replay.TooMany:
                self.message_user(
                    request,
                    _("%s: too many events; use the API with a later time.") % endpoint,
                    messages.ERROR,
                )
        self.message_user(
            request, ngettext("%d delivery waits.", "%d deliveries wait.", count) % count, messages.SUCCESS
        )

    @admin.action(description=_("Delete for good"), permissions=["remove"])
    def delete_for_good(
        self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]
    ) -> HttpResponse | None:
        """Asks for confirmation: the log of their deliveries is deleted, too."""
        if "confirmed" not in request.POST:
            webhooks = list(queryset)
            context = {
                **self.admin_site.each_context(request),
                "title": _("Delete for good"),
                "opts": self.opts,
                "webhooks": webhooks,
                "deliveries": Delivery.objects.filter(sink__in=webhooks).count(),
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "integrations/delete_webhooks.html", context)
        done = [endpoint for endpoint in queryset if health.delete(endpoint.pk)]
        self._report(
            request, done, ngettext("%d webhook deleted.", "%d webhooks deleted.", len(done)) % len(done)
        )
        return None

    def _report(self, request: HttpRequest, done: list[WebhookEndpoint], text: str) -> None:
        for endpoint in done:
            self.log_change(request, endpoint, [{"changed": {"fields": ["state"]}}])
        self.message_user(request, text, messages.SUCCESS)
