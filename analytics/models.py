"""The rollups: what analytics reads instead of the history. `manage.py rebuild_analytics` rebuilds them.

They hold sums only, which an upsert can add to; analytics.rules defines them. Kitchens, brands and accounts are
stored as text: a figure about the past must not depend on what exists now. Durations are whole microseconds.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Progress(models.Model):
    """One row: how far the change feed has been read, and when."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    cursor = models.TextField(blank=True)
    # The rules that the rollups were built by (analytics.rules.RULES).
    rules = models.PositiveSmallIntegerField(db_default=1)
    refreshed_at = models.DateTimeField(null=True)
    # How often an account was renamed: answers cached before still have the old name.
    renames = models.PositiveIntegerField(db_default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="analytics_progress_is_one_row")]
        # Sees all figures, without the pages of orders.
        permissions = [("view_dashboard", _("Can see the dashboard"))]

    def __str__(self) -> str:
        return f"refreshed at {self.refreshed_at}"


class Duration(models.Model):
    """Times in a status that ended in a period: of a brand in a kitchen, of a kitchen (brand is empty), of all (both
    are empty). `grain` is the Granularity. `histogram`: bucket to count (analytics.histogram)."""

    grain = models.PositiveSmallIntegerField()
    start = models.DateTimeField()
    kitchen = models.CharField(max_length=50, blank=True)
    brand = models.CharField(max_length=128, blank=True)
    status = models.PositiveSmallIntegerField()
    count = models.BigIntegerField()
    micros = models.BigIntegerField()
    histogram = models.JSONField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kitchen} {self.brand} {self.start} {self.status}: {self.count}"


class OrderDuration(Duration):
    # Starts with grain and start, so that the rows of a range lie together.
    pk = models.CompositePrimaryKey("grain", "start", "kitchen", "brand", "status")


class ItemDuration(Duration):
    """`plu` is empty on rows of all products together; rows of one product always name kitchen and brand."""

    plu = models.CharField(max_length=128, blank=True, db_collation="C")
    pk = models.CompositePrimaryKey("plu", "grain", "start", "kitchen", "brand", "status")


class HourlyThroughput(models.Model):
    """Orders created in an hour, and their outcomes: of a brand by channel, or of all brands and channels (both empty;
    a brand's own channel may be empty, too)."""

    hour = models.DateTimeField()
    kitchen = models.CharField(max_length=50)
    brand = models.CharField(max_length=128, blank=True)
    channel = models.CharField(max_length=64, blank=True)
    orders = models.BigIntegerField()
    items = models.BigIntegerField()
    cancelled = models.BigIntegerField()
    recalled = models.BigIntegerField()
    late = models.BigIntegerField()
    pickups = models.BigIntegerField()
    pickup_micros = models.BigIntegerField()
    imported = models.BigIntegerField(db_default=0)
    skipped = models.BigIntegerField(db_default=0)
    # Starts with the hour: the latest hours are read from the end of the index.
    pk = models.CompositePrimaryKey("hour", "kitchen", "brand", "channel")

    def __str__(self) -> str:
        return f"{self.kitchen} {self.brand} {self.hour}: {self.orders}"


class Customer(models.Model):
    """An account's orders of all time: of one kitchen or all (empty), of one brand or all (empty)."""

    kitchen = models.CharField(max_length=50, blank=True)
    brand = models.CharField(max_length=128, blank=True)
    account = models.CharField(max_length=128)
    orders = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    pk = models.CompositePrimaryKey("kitchen", "brand", "account")

    class Meta:
        indexes = [
            # The customers with the most orders, however many customers there are.
            models.Index(fields=["kitchen", "brand", "-orders", "account"], name="customer_most_orders"),
            # How many customers ordered for the first time in a range.
            models.Index(fields=["kitchen", "brand", "first_at"], name="customer_first_orders"),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.orders}"


class CustomerHour(models.Model):
    """An account's orders created in an hour: a range is summed from these."""

    hour = models.DateTimeField()
    kitchen = models.CharField(max_length=50)
    brand = models.CharField(max_length=128)
    account = models.CharField(max_length=128)
    orders = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    pk = models.CompositePrimaryKey("hour", "kitchen", "brand", "account")

    class Meta:
        indexes = [
            # Counts an account's orders in a range by an index-only scan; finds its rows when it is renamed.
            models.Index(
                fields=["account", "hour"],
                include=["kitchen", "brand", "orders"],
                name="customerhour_account",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.hour}: {self.orders}"


class CustomerMonth(models.Model):
    """An account's orders created in a month, in all kitchens and of all brands: an upper bound for any part of the
    month, one kitchen or one brand. analytics.customers uses it to choose the accounts to count."""

    month = models.DateTimeField()
    account = models.CharField(max_length=128)
    orders = models.BigIntegerField()
    pk = models.CompositePrimaryKey("month", "account")

    class Meta:
        indexes = [
            # The accounts with the most orders. Most have one order in a month; these are left out.
            models.Index(
                fields=["month", "-orders", "account"],
                name="customermonth_most_orders",
                condition=models.Q(orders__gt=1),
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.month}: {self.orders}"


class Product(models.Model):
    """A product's name: that in the latest order that has it; of orders at the same time, the greatest id."""

    brand = models.CharField(max_length=128)
    plu = models.CharField(max_length=128, db_collation="C")
    name = models.CharField(max_length=500)
    named_at = models.DateTimeField()
    order = models.CharField(max_length=128, db_collation="C")
    pk = models.CompositePrimaryKey("brand", "plu")

    def __str__(self) -> str:
        return self.name


class ProductSpan(models.Model):
    """A product in a period: how many orders had it, and how long items took to get ready (`count`, `micros`,
    `histogram`). There is no row for all time: nobody asks which product was slow over all years."""

    grain = models.PositiveSmallIntegerField()
    start = models.DateTimeField()
    kitchen = models.CharField(max_length=50)
    brand = models.CharField(max_length=128)
    plu = models.CharField(max_length=128, db_collation="C")
    orders = models.BigIntegerField()
    count = models.BigIntegerField()
    micros = models.BigIntegerField()
    histogram = models.JSONField()
    # Starts with grain and start, so that the rows of a range lie together.
    pk = models.CompositePrimaryKey("grain", "start", "kitchen", "brand", "plu")

    def __str__(self) -> str:
        return f"{self.kitchen} {self.brand} {self.plu} {self.start}: {self.orders}"


class MoveHour(models.Model):
    """Moves of orders to READY and PICKED_UP in an hour. `slots`: ten seconds, status and actor (rules.Slot) to count;
    `massed`: the sum of those that are mass moves."""

    hour = models.DateTimeField()
    kitchen = models.CharField(max_length=50)
    slots = models.JSONField()
    massed = models.BigIntegerField()
    pk = models.CompositePrimaryKey("hour", "kitchen")

    def __str__(self) -> str:
        return f"{self.kitchen} {self.hour}: {self.massed}"
