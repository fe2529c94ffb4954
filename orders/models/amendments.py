"""Amendments: changes of an order beside its statuses (ADR 16)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.orders import Order
from orders.models.querysets import RecordQuerySet


class Amendment(models.Model):
    """One amendment of an order; `version` is the version that the order got by it.

    `changes`: objects with `plu` (null: the order itself), `field` (note, pickup_time, due_at, quantity), `before` and
    `after`; times in RFC 3339, UTC. The database refuses UPDATE, and DELETE unless the transaction has set
    `huuva.retention`: notes may contain customers' data, so they are deleted with the history.
    """

    pk = models.CompositePrimaryKey("order_id", "version")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="amendments", db_index=False)
    version = models.PositiveIntegerField(_("version"))
    changes = models.JSONField(_("changes"))
    at = models.DateTimeField(_("at"))
    actor = models.CharField(_("actor"), max_length=200)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    objects = RecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("amendment")
        verbose_name_plural = _("amendments")
        constraints = [
            # The first version is the order as it came.
            models.CheckConstraint(condition=models.Q(version__gte=2), name="amendment_counted"),
            models.CheckConstraint(
                condition=models.Q(actor__length__gte=1), name="amendment_actor_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} v{self.version}"
