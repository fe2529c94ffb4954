"""Orders and their items.

The tables can be distributed over a cluster by order id (ADR 1): every key, unique constraint and foreign key contains
the order's id, there are no sequences, and the only other table that they refer to is `Kitchen`.
"""

from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.kitchens import Kitchen
from orders.models.querysets import FAR, GUARDED, ItemQuerySet, OrderQuerySet
from orders.new import MAX_NOTE
from orders.statuses import CANCELLED, OPEN, ItemStatus, OrderStatus

if TYPE_CHECKING:
    from orders.models.changes import Change
    from orders.models.history import HistoryEntry


# Columns of orders and items in which people write about a customer, under the same names in documents. Erasure and
# retention empty them, and webhooks without customers' data leave them out.
FREE_TEXT: Final = ("note",)


class DirectStatusWrite(RuntimeError):
    """A status was about to be written without its history, past `orders.services`."""


class StatusGuard(models.Model):
    """`save()` that leaves a status to `orders.services`, which records its history."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises DirectStatusWrite. A whole-row save is refused too: it would write back the status and the counters of
        when the row was read."""
        fields = kwargs.get("update_fields")
        if self._state.adding or fields is None or not GUARDED.isdisjoint(fields):
            raise DirectStatusWrite(
                f"{type(self).__name__} {self.pk}: orders.services alone writes a status and what counts its changes; "
                "save other fields by save(update_fields=[…])."
            )
        super().save(*args, **kwargs)


class Order(StatusGuard):
    """An order of one brand in one kitchen. Money is in minor units of `currency`; times are UTC."""

    id = models.CharField(_("id"), primary_key=True, max_length=128, db_collation="C")
    # No index of its own: the lists' indexes begin with it.
    kitchen = models.ForeignKey(
        Kitchen, on_delete=models.PROTECT, related_name="orders", db_index=False, verbose_name=_("kitchen")
    )
    status = models.PositiveSmallIntegerField(_("status"), choices=OrderStatus)
    version = models.PositiveIntegerField(_("version"), help_text=_("Counts the order's changes."))
    # The last sequence number of the history, and the time of the last entry that is no import: stored here so that the
    # next change doesn't read the history. The lock on this row guards both.
    sequence = models.PositiveIntegerField(editable=False)
    changed_at = models.DateTimeField(_("changed"), editable=False)

    account = models.CharField(_("account"), max_length=128)
    brand_id = models.CharField(_("brand id"), max_length=128)
    channel = models.CharField(_("channel"), max_length=64, blank=True)
    channel_order_id = models.CharField(_("channel order id"), max_length=128)
    channel_display_id = models.CharField(_("channel display id"), max_length=64, blank=True)
    customer_name = models.CharField(_("customer name"), max_length=500)
    customer_phone = models.CharField(_("customer phone"), max_length=64, blank=True)
    delivery_address = models.JSONField(_("delivery address"), null=True, blank=True)
    note = models.TextField(_("note"), max_length=MAX_NOTE, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    pickup_time = models.DateTimeField(_("pickup time"))
    due_at = models.DateTimeField(_("due"))
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("updated"))

    objects = OrderQuerySet.as_manager()

    # What services have loaded beside the row; see orders.serializers.
    loaded_items: "list[OrderItem]"
    loaded_history: "list[HistoryEntry]"
    # The change that the service hands to the receiver of post_save.
    change: "Change | None" = None

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [
            ("move_order", _("Can advance, cancel and take back orders")),
            ("view_customer", _("Can see customers' names, phone numbers, addresses and notes")),
            ("export_order", _("Can export orders")),
            ("erase_customer", _("Can export and erase a customer's data")),
        ]
        indexes = [
            # Lists, newest first: of one kitchen, and of all. By the channel at their end a list of one channel
            # skips orders of others without a look at them.
            models.Index(
                fields=["kitchen", "-created_at", "-id", "channel"], name="order_kitchen_newest_first"
            ),
            models.Index(fields=["-created_at", "-id", "channel"], name="order_newest_first"),
            models.Index(fields=["account", "-created_at", "-id"], name="order_account_newest"),
            # A courier or a channel asks by its own number.
            models.Index(fields=["channel_order_id"], name="order_channel_order_id"),
            # Reconciliation asks what was touched since.
            models.Index(fields=["updated_at"], name="order_updated"),
            # Lists of one brand, and of one brand in a kitchen that seldom or never cooks it.
            models.Index(
                fields=["brand_id", "-created_at", "-id", "kitchen", "status"], name="order_brand_newest"
            ),
            # Lists of what was cancelled, which is little.
            models.Index(
                fields=["-created_at", "-id", "kitchen"],
                name="order_cancelled_newest",
                condition=models.Q(status=CANCELLED),
            ),
            # Lists by pickup or update: see OrderQuerySet.with_times.
            models.Index(
                fields=["-created_at", "-id", "pickup_time", "updated_at"],
                name="order_far_newest",
                condition=FAR,
            ),
            # Boards: what is open, by urgency. It holds open orders only, so a board costs what is open.
            models.Index(
                fields=["kitchen", "due_at", "id"], name="order_open_due", condition=models.Q(status__in=OPEN)
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(id__length__gte=1), name="order_id_not_empty"),
            # The id is one segment of its address.
            models.CheckConstraint(condition=~models.Q(id__contains="/"), name="order_id_no_slash"),
            models.CheckConstraint(condition=models.Q(status__range=(1, 5)), name="order_status_known"),
            models.CheckConstraint(
                condition=models.Q(account__length__gte=1), name="order_account_not_empty"
            ),
            models.CheckConstraint(condition=models.Q(brand_id__length__gte=1), name="order_brand_not_empty"),
            models.CheckConstraint(
                condition=models.Q(channel_order_id__length__gte=1), name="order_channel_id_not_empty"
            ),
            models.CheckConstraint(
                condition=models.Q(customer_name__length__gte=1), name="order_customer_not_empty"
            ),
            models.CheckConstraint(condition=models.Q(note__length__lte=MAX_NOTE), name="order_note_length"),
            models.CheckConstraint(condition=models.Q(version__gte=1, sequence__gte=1), name="order_counted"),
        ]

    def __str__(self) -> str:
        return self.channel_display_id or self.channel_order_id


class OrderItem(StatusGuard):
    """An item of an order, identified by its PLU. `price` is in minor units of the order's currency."""

    pk = models.CompositePrimaryKey("order_id", "plu")
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items", db_index=False)
    plu = models.CharField(_("PLU"), max_length=128, db_collation="C")
    position = models.PositiveSmallIntegerField(_("position"))
    name = models.CharField(_("name"), max_length=500)
    quantity = models.PositiveIntegerField(_("quantity"))
    status = models.PositiveSmallIntegerField(_("status"), choices=ItemStatus)
    note = models.TextField(_("note"), max_length=MAX_NOTE, blank=True)
    modifiers = models.JSONField(_("modifiers"), default=list, blank=True)
    allergens = models.JSONField(_("allergens"), default=list, blank=True)
    price = models.BigIntegerField(_("price"), null=True, blank=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        constraints = [
            models.CheckConstraint(condition=models.Q(plu__length__gte=1), name="item_plu_not_empty"),
            models.CheckConstraint(condition=models.Q(name__length__gte=1), name="item_name_not_empty"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="item_quantity_positive"),
            models.CheckConstraint(condition=models.Q(status__range=(1, 5)), name="item_status_known"),
            models.CheckConstraint(condition=models.Q(note__length__lte=MAX_NOTE), name="item_note_length"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"
