"""Channel links: set up, with their secret entered, or generated and shown once, and their mapping checked."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from integrations.adapters.registry import ADAPTERS
from integrations.channels.admin.messages import in_utc
from integrations.channels.secrets import MAX_LENGTH, MIN_LENGTH, encrypt_secret, new_secret
from integrations.deliveries import health
from integrations.deliveries.guard import check_url
from integrations.models import ChannelLink, ChannelLocation
from orders import audit, clock
from orders.access import kitchens_of
from orders.admin.scope import KitchenScoped

# The state of a link, below what managers set.
FACTS = ("shown_address", "shown_notified", "shown_success", "shown_failing")
ADDRESSES = {"generic": "/api/channels/generic/{slug}/orders"}


def address_of(link: ChannelLink) -> str:
    """The URL to which the channel sends its orders."""
    plain = f"/api/channels/{link.channel_kind}/orders"
    return ADDRESSES.get(link.channel_kind, plain).format(slug=link.slug)


class ChannelLinkForm(forms.ModelForm):
    secret_text = forms.CharField(
        label=_("Secret"),
        required=False,
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    class Meta:
        model = ChannelLink
        fields = "__all__"  # noqa: DJ007  (the admin's fieldsets name them)
        widgets = {"mapping": UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "false"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secret_text"].help_text = (
            _("As the channel gave it. Empty: the present one stays.")
            if self.instance.pk and not self.instance._state.adding
            else _("As the channel gave it. Empty: one is made and shown once.")
        )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        kind = data.get("channel_kind") or self.instance.channel_kind
        for name in ("status_url", "busy_url"):
            if data.get(name):
                try:
                    check_url(data[name])
                except ValidationError as error:
                    self.add_error(name, error)
        adapter = ADAPTERS.get(kind)
        mapping = data.get("mapping")
        if adapter is None or "mapping" in self.errors:
            return data
        if adapter.has_mapping:
            for text in adapter.check_mapping(mapping):
                self.add_error("mapping", text)
        elif mapping:
            self.add_error("mapping", _("Links of this kind need no mapping; leave it empty."))
        return data


class LocationInline(TabularInline):
    model = ChannelLocation
    show_title = False
    fields = ("external_id", "kitchen")
    extra = 0
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChannelLocation]:
        locations: QuerySet[ChannelLocation] = super().get_queryset(request)
        allowed = kitchens_of(request.user)
        return locations if allowed is None else locations.filter(kitchen__in=allowed)


@admin.register(ChannelLink)
class ChannelLinkAdmin(KitchenScoped, ModelAdmin):
    form = ChannelLinkForm
    inlines = (LocationInline,)
    list_display = ("name", "channel_kind", "slug", "shown_state", "shown_address")
    list_filter = ("channel_kind",)
    search_fields = ("name", "slug", "external_id")
    ordering = ("name", "slug")
    compressed_fields = True
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("channel_kind", "is_active"),
                    ("name", "slug"),
                    ("external_id", "account"),
                    "brand_id",
                    "secret_text",
                )
            },
        ),
        (_("Updates to the channel"), {"fields": ("status_url", "busy_url")}),
        (_("Format"), {"fields": ("mapping",), "classes": ("collapse",)}),
    )

    def of_kitchens(self, rows: QuerySet[ChannelLink], allowed: frozenset[str]) -> QuerySet[ChannelLink]:
        """Links with a location of these kitchens."""
        return rows.filter(Exists(ChannelLocation.objects.filter(kitchen__in=allowed, link=OuterRef("pk"))))

    def get_fieldsets(self, request: HttpRequest, obj: ChannelLink | None = None) -> Any:
        if obj is None:
            return self.fieldsets
        return (self.fieldsets[0], (_("State"), {"fields": FACTS}), *self.fieldsets[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: ChannelLink | None = None) -> Any:
        # Orders carry slug and name.
        return () if obj is None else ("channel_kind", "slug", "name", *FACTS)

    def has_delete_permission(self, request: HttpRequest, obj: ChannelLink | None = None) -> bool:
        return False

    @display(description=_("state"), label={"active": "success", "silent": "warning", "off": "danger"})
    def shown_state(self, link: ChannelLink) -> tuple[str, Any]:
        if not link.is_active:
            return "off", _("off")
        if link.disabled_at is not None:
            return "silent", _("gets no updates")
        return "active", _("active")

    @display(description=_("address for its orders"))
    def shown_address(self, link: ChannelLink) -> str:
        return address_of(link)

    @display(description=_("last success"))
    def shown_success(self, link: ChannelLink) -> str:
        return in_utc(link.last_success_at)

    @display(description=_("failing since"))
    def shown_failing(self, link: ChannelLink) -> str:
        return in_utc(link.failing_since)

    @display(description=_("status updates"))
    def shown_notified(self, link: ChannelLink) -> Any:
        if not link.status_url:
            return _("no: it has no status URL")
        if link.disabled_at is not None:
            return _("no: %(reason)s. Save to try again.") % {"reason": link.get_disabled_reason_display()}
        return _("yes")

    def save_model(self, request: HttpRequest, obj: ChannelLink, form: forms.ModelForm, change: bool) -> None:
        entered = form.cleaned_data["secret_text"]
        changed = set(form.changed_data) - {"secret_text"}
        if entered or not change:
            # Lives as long as this request: never in the session, a message or a log.
            request.plain_secret = "" if entered else new_secret()  # type: ignore[attr-defined]
            obj.secret = encrypt_secret(entered or request.plain_secret)  # type: ignore[attr-defined]
            changed.add("secret")
        if obj.is_active:
            # Somebody has looked at it: a receiver that was disabled is tried again.
            obj.disabled_at, obj.disabled_reason, obj.failures = None, "", 0
            obj.failing_since = obj.retry_at = None
            changed |= {"disabled_at", "disabled_reason", "failures", "failing_since", "retry_at"}
        elif not change:
            obj.disabled_at, obj.disabled_reason = clock.now(), ChannelLink.Disabled.BY_HAND
        else:
            # Gives up what waits: activated again, it is sent what happens then, not what happened long ago.
            health.disable(obj.pk, ChannelLink.Disabled.BY_HAND)
        # Changed fields only: the loop of deliveries may write the link's health meanwhile.
        obj.save(update_fields=changed if change else None)

    def response_add(
        self, request: HttpRequest, obj: ChannelLink, post_url_continue: str | None = None
    ) -> HttpResponse:
        """A generated secret is in the answer to the form, so that it exists nowhere else."""
        plain = getattr(request, "plain_secret", "")
        if not plain:
            return super().response_add(request, obj, post_url_continue)
        audit.record("secret_shown", obj, user=request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": _("The new link"),
            "opts": self.opts,
            "link": obj,
            "plain_secret": plain,
            "header": ADAPTERS[obj.channel_kind].signature_header,
            "address": request.build_absolute_uri(address_of(obj)),
            "next": reverse("admin:integrations_channellink_change", args=[obj.pk]),
        }
        return TemplateResponse(request, "integrations/channels/secret.html", context)
