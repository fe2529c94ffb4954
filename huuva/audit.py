"""Read-only lists in the admin: who changed what, who exported or saw what, and who tried to log in."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from huuva.logins import forgive, name_digest
from huuva.models import LoginAttempt
from orders.admin.paging import InfinitePaginator
from orders.audit import READ

ACTIONS = {
    ADDITION: (_("added"), "success"),
    CHANGE: (_("changed"), "info"),
    DELETION: (_("deleted"), "danger"),
    READ: (_("given out"), "warning"),
}


class ActionFilter(admin.SimpleListFilter):
    title = _("action")
    parameter_name = "action_flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(flag), label) for flag, (label, _look) in ACTIONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        known = {str(flag) for flag in ACTIONS}
        return queryset.filter(action_flag=int(self.value() or 0)) if self.value() in known else queryset


@admin.register(LogEntry)
class AuditAdmin(ModelAdmin):
    """Newest first; never counted, because it only grows. Whoever may see it sees all kitchens."""

    list_display = ("action_time", "user", "shown_action", "content_type", "object_repr", "shown_change")
    list_filter = (ActionFilter, "content_type")
    list_select_related = ("user", "content_type")
    list_per_page = 50
    list_display_links = None
    # By id: there is no index by time.
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("object_repr", "user__username")
    search_help_text = _("What was changed, or by whom")
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = None

    @display(description=_("action"), label={str(flag): look for flag, (_label, look) in ACTIONS.items()})
    def shown_action(self, entry: LogEntry) -> tuple[str, Any]:
        return str(entry.action_flag), ACTIONS[entry.action_flag][0]

    @display(description=_("change"))
    def shown_change(self, entry: LogEntry) -> str:
        return " ".join(_sentences(entry.change_message)) or entry.get_change_message()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False


def _sentences(message: str) -> Iterator[str]:
    """The entries of orders.audit as text, without those of Django."""
    try:
        entries = json.loads(message)
    except ValueError:
        return
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(facts := entry.get("audit"), dict):
            yield _sentence(facts)
            if facts.get("shell"):
                yield gettext("By %(user)s on the command line.") % {"user": facts["shell"]}
            if facts.get("key"):
                yield gettext("By the API key %(key)s.") % {"key": facts["key"]}


def _sentence(facts: dict[str, Any]) -> str:
    orders = facts.get("orders", 0)
    match facts.get("what"):
        case "orders_exported" if facts.get("customers"):
            text = ngettext(
                "%(orders)d order exported with its customer's data.",
                "%(orders)d orders exported with their customers' data.",
                orders,
            )
        case "orders_exported":
            text = ngettext(
                "%(orders)d order exported without its customer's data.",
                "%(orders)d orders exported without their customers' data.",
                orders,
            )
        case "accounts_exported":
            text = ngettext(
                "%(accounts)d account exported.", "%(accounts)d accounts exported.", facts.get("accounts", 0)
            )
        case "account_exported":
            text = ngettext(
                "All data of one customer exported: %(orders)d order.",
                "All data of one customer exported: %(orders)d orders.",
                orders,
            )
        case "account_erased":
            text = ngettext(
                "Customer erased: %(orders)d order of the account now called %(account)s.",
                "Customer erased: %(orders)d orders of the account now called %(account)s.",
                orders,
            )
        case "pairing_link_made":
            text = gettext("A link that pairs a screen was shown.")
        case "secret_shown":
            text = gettext("Its secret was shown.")
        case "retention_asked":
            text = ngettext(
                "Days for which customers' data is kept: %(before)d, from %(at)s on %(days)d; "
                "%(orders)d order loses it.",
                "Days for which customers' data is kept: %(before)d, from %(at)s on %(days)d; "
                "%(orders)d orders lose it.",
                orders,
            )
        case "retention_withdrawn":
            text = gettext("Taken back: days for which customers' data is kept, %(days)d.")
        case "retention_set":
            text = gettext("Days for which customers' data is kept: %(before)d before, %(days)d now.")
        case other:
            text = str(other)
    return text % facts


@admin.register(LoginAttempt)
class LoginAttemptAdmin(ModelAdmin):
    """Newest first. A name is shown if a user has it; other input may be a password and stays a hash."""

    list_display = ("at", "shown_name", "address", "shown_outcome", "shown_browser", "forgiven")
    list_filter = ("right", "forgiven")
    list_per_page = 50
    list_display_links = None
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("address",)
    search_help_text = _("A whole name or address")
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = ("forgive_names",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        class WithNames(super().get_changelist(request, **kwargs)):  # type: ignore[misc]
            def get_results(self, request: HttpRequest) -> None:
                super().get_results(request)
                users = User.objects.values_list("username", flat=True)
                names = {name_digest(username): username for username in users.iterator()}
                for attempt in self.result_list:
                    attempt.username = names.get(attempt.name, "")

        return WithNames

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LoginAttempt], search_term: str
    ) -> tuple[QuerySet[LoginAttempt], bool]:
        term = search_term.strip()
        if term:
            queryset = queryset.filter(Q(name__in=(name_digest(term), term)) | Q(address=term))
        return queryset, False

    @display(description=_("name"))
    def shown_name(self, attempt: LoginAttempt) -> str:
        return getattr(attempt, "username", "") or f"{attempt.name[:12]}…"

    @display(description=_("password"), label={"right": "success", "wrong": "danger"})
    def shown_outcome(self, attempt: LoginAttempt) -> tuple[str, Any]:
        return ("right", _("right")) if attempt.right else ("wrong", _("wrong"))

    @display(description=_("known browser"), boolean=True)
    def shown_browser(self, attempt: LoginAttempt) -> bool:
        return bool(attempt.browser)

    @admin.action(description=_("Let these names try again at once"), permissions=["forgive"])
    def forgive_names(self, request: HttpRequest, queryset: QuerySet[LoginAttempt]) -> None:
        forgive(set(queryset.values_list("name", flat=True)))
        self.message_user(request, _("Their wrong passwords are no longer counted."), messages.SUCCESS)

    def has_forgive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("huuva.change_loginattempt")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LoginAttempt | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LoginAttempt | None = None) -> bool:
        return False
