"""The rollups: what analytics reads instead of the history. `manage.py rebuild_analytics` makes them anew.

Sums only, which an upsert can add to; analytics.rules says what they count. Kitchens, brands and accounts are kept as
text: a figure about the past must not depend on what is there now. Lengths of time are sums of whole microseconds.
"""

from django.db import models


class Progress(models.Model):
    """One row: how far the change feed has been read, and when that was last done."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    cursor = models.TextField(blank=True)
    refreshed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="analytics_progress_is_one_row")]

    def __str__(self) -> str:
        return f"refreshed at {self.refreshed_at}"


class Duration(models.Model):
    """Times in a status that were closed in a span of time. `histogram`: bucket to count (analytics.histogram)."""

    grain = models.PositiveSmallIntegerField()
    start = models.DateTimeField()
    kitchen = models.CharField(max_length=50)
    brand = models.CharField(max_length=128)
    status = models.PositiveSmallIntegerField()
    count = models.BigIntegerField()
    micros = models.BigIntegerField()
    histogram = models.JSONField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kitchen} {self.brand} {self.start} {self.status}: {self.count}"


class OrderDuration(Duration):
    # Begins with grain and start: what a range reads lies together.
    pk = models.CompositePrimaryKey("grain", "start", "kitchen", "brand", "status")


class ItemDuration(Duration):
    """`plu` is empty on the rows of all products together."""

    plu = models.CharField(max_length=128, blank=True, db_collation="C")
    pk = models.CompositePrimaryKey("plu", "grain", "start", "kitchen", "brand", "status")


class HourlyThroughput(models.Model):
    """Orders created in an hour, and what became of them."""

    hour = models.DateTimeField()
    kitchen = models.CharField(max_length=50)
    brand = models.CharField(max_length=128)
    channel = models.CharField(max_length=64, blank=True)
    orders = models.BigIntegerField()
    items = models.BigIntegerField()
    cancelled = models.BigIntegerField()
    recalled = models.BigIntegerField()
    late = models.BigIntegerField()
    pickups = models.BigIntegerField()
    pickup_micros = models.BigIntegerField()
    # Begins with the hour: the latest hours are read from its end.
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
            # The customers with the most orders, however many there are.
            models.Index(fields=["kitchen", "brand", "-orders", "account"], name="customer_most_orders")
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.orders}"


class CustomerHour(models.Model):
    """An account's orders created in an hour: what a range of time is summed from."""

    hour = models.DateTimeField()
    kitchen = models.CharField(max_length=50)
    brand = models.CharField(max_length=128)
    account = models.CharField(max_length=128)
    orders = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    pk = models.CompositePrimaryKey("hour", "kitchen", "brand", "account")

    def __str__(self) -> str:
        return f"{self.account} {self.hour}: {self.orders}"
