"""Screens: pair them by code or link, see their state, change their settings, revoke them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from kitchen_display import hints
from kitchen_display.board import read_board
from kitchen_display.models import Screen
from kitchen_display.pairing import LINK_LIFETIME, PairingRefused, enter_code, find_code, make_link, revoke
from kitchen_display.pickup import read_pickup
from orders import audit
from orders.access import sees_customers
from orders.admin.formatting import format_time
from orders.admin.scope import KitchenFilter, KitchenScoped

# Shown as a badge: unfold's colours.
STATES = {
    "online": (_("online"), "success"),
    "offline": (_("silent"), "warning"),
    "unpaired": (_("not paired"), "info"),
    "revoked": (_("revoked"), "danger"),
}


def state_of(screen: Screen) -> str:
    if screen.revoked_at is not None:
        return "revoked"
    if screen.paired_at is None:
        return "unpaired"
    return "online" if screen.is_online(timezone.now()) else "offline"


class ScreenForm(forms.ModelForm):
    code = forms.CharField(
        label=_("Pairing code"),
        required=False,
        max_length=12,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        help_text=_(
            "The six characters that the screen shows at /display/ or /pickup/. Empty: pair it later, or by a link."
        ),
    )

    class Meta:
        model = Screen
        fields = "__all__"  # noqa: DJ007  (the admin's fieldsets name them)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if code:
            try:
                find_code(code)
            except PairingRefused as refusal:
                raise forms.ValidationError(str(refusal), code="unknown") from None
        return code


@admin.register(Screen)
class ScreenAdmin(KitchenScoped, ModelAdmin):
    form = ScreenForm
    list_display = ("name", "kitchen", "shown_station", "shown_state", "shown_seen", "shown_paired")
    list_filter = (("kitchen", KitchenFilter), "kind")
    list_select_related = ("kitchen", "station")
    search_fields = ("name",)
    actions = ("revoke_screens",)
    actions_detail = ("preview", "pairing_link")
    fieldsets = (
        (None, {"fields": ("name", "kitchen", "kind", "station")}),
        (_("Pairing"), {"fields": ("code",)}),
        (
            _("How it shows"),
            {
                "fields": (
                    ("text_scale", "columns", "language"),
                    ("sound_new", "sound_cancelled", "sound_late"),
                    ("awake_from", "awake_to"),
                )
            },
        ),
    )
    readonly_fields = ("state_word", "shown_seen", "shown_paired")

    def get_fieldsets(self, request: HttpRequest, obj: Screen | None = None) -> Any:
        """A screen's state and times stand beside its code; a new screen has none."""
        if obj is None:
            return self.fieldsets
        what, _pairing, how = self.fieldsets
        return (what, (_("Pairing"), {"fields": ("code", *self.readonly_fields)}), how)

    def has_preview_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """A wall shows notes, which may name customers."""
        return self.has_view_permission(request) and sees_customers(request.user)

    @display(description=_("station"), ordering="station__name")
    def shown_station(self, screen: Screen) -> str | Promise:
        if screen.is_pickup:
            return _("Pickup board")
        return screen.station.name if screen.station else _("Expo: everything")

    @display(description=_("state"), label={key: look for key, (_word, look) in STATES.items()})
    def shown_state(self, screen: Screen) -> tuple[str, Any]:
        state = state_of(screen)
        return state, STATES[state][0]

    @display(description=_("state"))
    def state_word(self, screen: Screen) -> str | Promise:
        return STATES[state_of(screen)][0]

    @display(description=_("last seen"), ordering="last_seen_at")
    def shown_seen(self, screen: Screen) -> str | None:
        return format_time(screen.last_seen_at, screen.kitchen) if screen.last_seen_at else None

    @display(description=_("paired"), ordering="paired_at")
    def shown_paired(self, screen: Screen) -> str | None:
        return format_time(screen.paired_at, screen.kitchen) if screen.paired_at else None

    def save_model(self, request: HttpRequest, obj: Screen, form: forms.ModelForm, change: bool) -> None:
        before = Screen.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        hints.publish_on_commit(obj.kitchen_id, hints.SCREENS)
        # The page of a screen that was moved to another kitchen still listens to the old one.
        if before is not None and (before.kitchen_id, before.kind) != (obj.kitchen_id, obj.kind):
            hints.end_pairing_on_commit(before.kitchen_id, before.pairing)
        code = form.cleaned_data.get("code")
        if not code:
            return
        try:
            enter_code(code, obj)
        except PairingRefused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, _("The screen will show its board in a moment."), messages.SUCCESS)

    @admin.action(description=_("Revoke: switch off at once"), permissions=["change"])
    def revoke_screens(self, request: HttpRequest, queryset: QuerySet[Screen]) -> None:
        revoked = [screen for screen in queryset if revoke(screen)]
        for screen in revoked:
            self.log_change(request, screen, [{"changed": {"fields": ["revoked_at"]}}])
        text = ngettext("%d screen revoked.", "%d screens revoked.", len(revoked)) % len(revoked)
        self.message_user(request, text, messages.SUCCESS)

    @action(description=_("Preview"), url_path="preview", permissions=["preview"], icon="visibility")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the screen shows now, to look at only: nothing can be touched, and nothing is written."""
        screen = self.get_object(request, object_id)
        if screen is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        now = timezone.now()
        board = read_pickup(screen, now) if screen.is_pickup else read_board(screen, now, assign=False)
        context = {"screen": screen, "board": board, "now": now}
        return TemplateResponse(request, "kitchen_display/admin/preview.html", context)

    @action(
        description=_("Make a pairing link"), url_path="pairing-link", permissions=["change"], icon="add_link"
    )
    def pairing_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A GET asks, a POST makes the link. It is in this one answer and stored nowhere."""
        screen = self.get_object(request, object_id)
        if screen is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {**self.admin_site.each_context(request), "title": _("Pairing link"), "opts": self.opts}
        if request.method != "POST":
            context |= {
                "question": _("Make a pairing link for this screen? An earlier link stops working."),
                "back": reverse("admin:kitchen_display_screen_change", args=[screen.pk]),
            }
            return TemplateResponse(request, "huuva/ask.html", context)
        audit.record("pairing_link_made", screen, user=request.user)
        context |= {
            "screen": screen,
            "link": request.build_absolute_uri(make_link(screen)),
            "hours": int(LINK_LIFETIME.total_seconds() // 3600),
        }
        return TemplateResponse(request, "kitchen_display/admin/link.html", context)
