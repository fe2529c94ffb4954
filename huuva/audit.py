"""Who changed what in the admin: Django's own log of it, as a list that nobody can edit."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from orders.admin.paging import InfinitePaginator

ACTIONS = {
    ADDITION: (_("added"), "success"),
    CHANGE: (_("changed"), "info"),
    DELETION: (_("deleted"), "danger"),
}


@admin.register(LogEntry)
class AuditAdmin(ModelAdmin):
    """Newest first, never counted: it only grows. Who may see it sees it of all kitchens."""

    list_display = ("action_time", "user", "shown_action", "content_type", "object_repr", "shown_change")
    list_filter = ("action_flag", "content_type")
    list_select_related = ("user", "content_type")
    list_per_page = 50
    list_display_links = None
    # As they came: there is no index by time.
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("object_repr", "user__username")
    search_help_text = _("What was changed, or by whom")
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = None

    @display(description=_("action"), label={str(flag): look for flag, (_word, look) in ACTIONS.items()})
    def shown_action(self, entry: LogEntry) -> tuple[str, Any]:
        return str(entry.action_flag), ACTIONS[entry.action_flag][0]

    @display(description=_("change"))
    def shown_change(self, entry: LogEntry) -> str:
        return entry.get_change_message()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False
