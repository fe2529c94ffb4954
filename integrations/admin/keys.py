"""API keys for managers: create (shown once), change, revoke."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from integrations.key_cache import key_cache
from integrations.keys import give_secret, revoke_key
from integrations.models import ApiKey
from integrations.scopes import CUSTOMERS, SCOPES
from orders import audit
from orders.access import sees_customers
from orders.admin.scope import KitchenFilter, KitchenScoped

# The state of a key, below what managers set.
FACTS = ("prefix", "state_label", "created_at", "last_used_at", "revoked_at")


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=lambda: [(scope, f"{scope}: {description}") for scope, description in SCOPES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("What the key may do. Give each integrator as little as it needs."),
    )

    # Set for each request by `get_form`.
    sees_customers = False

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "kitchen", "rate_limit", "expires_at")

    def clean_scopes(self) -> list[str]:
        scopes: list[str] = self.cleaned_data["scopes"]
        new = set(scopes) - set(self.instance.scopes or ())
        # A key must not show its creator what the admin doesn't.
        if CUSTOMERS in new and not self.sees_customers:
            raise forms.ValidationError(
                _("Only who may see customers' data may give this scope: %(scope)s."),
                code="customers",
                params={"scope": CUSTOMERS},
            )
        return scopes

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and "expires_at" in self.changed_data and expires_at <= timezone.now():
            raise forms.ValidationError(_("This time has passed."), code="past")
        return expires_at


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return list(ApiKey.State.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        expired = Q(expires_at__lte=timezone.now())
        match self.value():
            case ApiKey.State.ACTIVE:
                return queryset.filter(revoked_at=None).exclude(expired)
            case ApiKey.State.EXPIRED:
                return queryset.filter(expired, revoked_at=None)
            case ApiKey.State.REVOKED:
                return queryset.exclude(revoked_at=None)
        return queryset


@admin.register(ApiKey)
class ApiKeyAdmin(KitchenScoped, ModelAdmin):
    form = ApiKeyForm
    list_display = (
        "name",
        "prefix",
        "shown_state",
        "shown_kitchen",
        "shown_scopes",
        "shown_limit",
        "last_used_at",
    )
    list_filter = (StateFilter, ("kitchen", KitchenFilter))
    list_select_related = ("kitchen",)
    search_fields = ("name", "prefix")
    search_help_text = _("Name or prefix (the part of a key after huuva_)")
    ordering = ("name", "-created_at", "pk")
    actions = ("revoke",)
    fields = ("name", "scopes", "kitchen", "rate_limit", "expires_at")

    @display(description=_("state"), label={"active": "success", "expired": "warning", "revoked": "danger"})
    def shown_state(self, key: ApiKey) -> tuple[str, Any]:
        state = key.state_at(timezone.now())
        return state.value, state.label

    @display(description=_("state"))
    def state_label(self, key: ApiKey) -> str | Promise:
        return key.state_at(timezone.now()).label

    @display(description=_("kitchen"), ordering="kitchen")
    def shown_kitchen(self, key: ApiKey) -> str | Promise:
        return key.kitchen.name if key.kitchen else _("all kitchens")

    @display(description=_("scopes"))
    def shown_scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description=_("calls a minute"))
    def shown_limit(self, key: ApiKey) -> str | int | Promise:
        if key.rate_limit is None:
            return _("default")
        return key.rate_limit or _("no limit")

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, *args, **kwargs)
        form.sees_customers = sees_customers(request.user)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        settings = (None, {"fields": self.fields})
        return (settings,) if obj is None else (settings, (_("State"), {"fields": FACTS}))

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        # The history knows a key by its name, so the name stays.
        return () if obj is None else ("name", *FACTS)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        # What a revoked key was allowed to do stays on record.
        return super().has_change_permission(request, obj) and (obj is None or obj.revoked_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        # The history names keys: they are revoked instead.
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        if change:
            # Changed fields only: the key may have been revoked since the form was read.
            obj.save(update_fields=form.changed_data)
        else:
            # Lives as long as this request: never in the session, a message or a log.
            request.plain_key = give_secret(obj)  # type: ignore[attr-defined]
            super().save_model(request, obj, form, change)
        key_cache.forget(obj.prefix)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The plain key is in the answer to the form, so that it exists nowhere else."""
        audit.record("secret_shown", obj, user=request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": _("The new key"),
            "opts": self.opts,
            "key": obj,
            "plain_key": request.plain_key,  # type: ignore[attr-defined]
        }
        # All pages of the admin are sent with `no-store`.
        return TemplateResponse(request, "integrations/key_created.html", context)

    @admin.action(description=_("Revoke for good"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = [key for key in queryset if revoke_key(key)]
        for key in revoked:
            self.log_change(request, key, [{"changed": {"fields": ["revoked_at"]}}])
        text = ngettext("%d key revoked.", "%d keys revoked.", len(revoked)) % len(revoked)
        self.message_user(request, text, messages.SUCCESS)
