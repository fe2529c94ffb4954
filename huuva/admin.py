"""The admin's front page, and users and groups in the theme of the rest."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from huuva.audit import AuditAdmin as AuditAdmin
from huuva.audit import LoginAttemptAdmin as LoginAttemptAdmin
from huuva.logins import forgive, name_digest
from huuva.ops.backups.alerts import backup_alerts
from orders.admin.sections import register_alerts
from orders.models import KitchenMember

admin.site.index_template = "analytics/dashboard/front.html"
admin.site.index_title = _("Dashboard")
register_alerts(backup_alerts)
admin.site.unregister(User)
admin.site.unregister(Group)


class KitchenMemberInline(TabularInline):
    """The kitchens of a user who does not work in all of them."""

    model = KitchenMember
    extra = 0
    verbose_name_plural = _("Kitchens (none: those of the roles that work everywhere)")


@admin.register(User)
class HuuvaUserAdmin(UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (KitchenMemberInline,)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Deleting a user would delete its audit entries: it is deactivated instead (“active”).
        if obj is None or LogEntry.objects.filter(user=obj).exists():
            return False
        return super().has_delete_permission(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """A user with a new password may log in at once."""
        response = super().user_change_password(request, id, form_url)
        user = self.get_object(request, unquote(id)) if request.method == "POST" else None
        if user is not None and response.status_code == 302:
            forgive([name_digest(user.get_username())])
        return response

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        # A new user is created in two steps; the first has only name and password.
        return () if obj is None else self.inlines


@admin.register(Group)
class HuuvaGroupAdmin(GroupAdmin, ModelAdmin):
    pass
