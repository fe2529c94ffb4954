"""The history: append-only, with every status that an order or item has had."""

from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.orders import Order, OrderItem
from orders.models.querysets import HistoryQuerySet
from orders.statuses import KIND_NAMES, OrderStatus


class StatusChange(models.Model):
    """One row for each change of an order (`plu` is null) or of one of its items.

    The database refuses UPDATE, DELETE and TRUNCATE; a transaction that has set `huuva.retention` may delete rows and
    empty reasons. The table has one more column, `tx`, the id of the transaction that wrote the row. Only the change
    feed reads it (orders/feed.py); it is no field here, so that the database fills it in.
    """

    pk = models.CompositePrimaryKey("order_id", "sequence")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="history", db_index=False)
    sequence = models.PositiveIntegerField(_("sequence"))
    plu = models.CharField(_("PLU"), max_length=128, null=True, db_collation="C")  # noqa: DJ001 (null: the order)
    item = models.ForeignObject(
        OrderItem,
        on_delete=models.DO_NOTHING,
        from_fields=["order", "plu"],
        to_fields=["order", "plu"],
        null=True,
        related_name="history",
    )
    from_status = models.PositiveSmallIntegerField(_("from"), null=True)
    to_status = models.PositiveSmallIntegerField(_("to"), choices=OrderStatus)
    kind = models.PositiveSmallIntegerField(_("kind"), choices=list(KIND_NAMES.items()))
    # All rows of one action share it. It is the version that the order got by that action.
    change = models.PositiveIntegerField(_("change"))
    # On rows of a recall: the change that it took back.
    recalls = models.PositiveIntegerField(_("recalls"), null=True)
    at = models.DateTimeField(_("at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    actor = models.CharField(_("actor"), max_length=200)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    objects = HistoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        constraints = [
            models.CheckConstraint(condition=models.Q(to_status__range=(1, 5)), name="change_to_known"),
            models.CheckConstraint(
                condition=models.Q(from_status__isnull=True) | models.Q(from_status__range=(1, 5)),
                name="change_from_known",
            ),
            models.CheckConstraint(condition=models.Q(kind__range=(1, 3)), name="change_kind_known"),
            models.CheckConstraint(condition=models.Q(actor__length__gte=1), name="change_actor_not_empty"),
            models.CheckConstraint(condition=models.Q(sequence__gte=1, change__gte=1), name="change_counted"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} #{self.sequence}"


class HistoryEntry(NamedTuple):
    """A row of the history outside the ORM: the columns of StatusChange, at a tenth of the cost of an instance.

    `tx` is the id of the transaction that wrote it; only the change feed fills it in.
    """

    order_id: str
    sequence: int
    plu: str | None
    from_status: int | None
    to_status: int
    kind: int
    change: int
    recalls: int | None
    at: datetime
    recorded_at: datetime  # None in `statements.history_by_order`, which doesn't read it
    actor: str
    reason: str
    tx: int = 0


# The columns of StatusChange, in the order of HistoryEntry.
HISTORY_COLUMNS = HistoryEntry._fields[:-1]
# Where it is read only, either will do.
type AnyEntry = StatusChange | HistoryEntry


class FeedOffset(models.Model):
    """At most one row: what the change feed adds to this server's transaction ids (see `feed.raise_offset`)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="feed_offset_is_one_row")]

    def __str__(self) -> str:
        return str(self.value)

    @classmethod
    def current(cls) -> int:
        return cls.objects.values_list("value", flat=True).first() or 0
