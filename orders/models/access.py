"""Which kitchens a manager works in."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.kitchens import Kitchen


class KitchenMember(models.Model):
    """A user's kitchen. Who may work everywhere (permission `orders.work_everywhere`) needs none."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="kitchens")
    # No index of its own: pages ask for a user's kitchens, never for a kitchen's users.
    kitchen = models.ForeignKey(
        Kitchen, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("kitchen")
    )

    class Meta:
        verbose_name = _("kitchen of a user")
        verbose_name_plural = _("kitchens of a user")
        constraints = [models.UniqueConstraint(fields=["user", "kitchen"], name="member_once_in_kitchen")]

    def __str__(self) -> str:
        return str(self.kitchen_id)
