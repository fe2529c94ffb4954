"""The admin's first page, and users and groups in the look of the rest."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.index_template = "orders/admin/front.html"
admin.site.index_title = _("Now")
admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class HuuvaUserAdmin(UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class HuuvaGroupAdmin(GroupAdmin, ModelAdmin):
    pass
