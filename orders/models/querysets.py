"""Named queries of the order tables, which refuse to write a status.

`update(status=…)`, `bulk_update` of a status and `bulk_create` would change a status without its history, so they
are refused here; `orders.services` writes the history too, by `orders.statements`.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from django.db import connections, models
from django.db.models import F, Q, Value
from django.db.models.lookups import GreaterThan, LessThan

from orders import clock
from orders.statuses import UNREADY

if TYPE_CHECKING:
    from orders.models.amendments import Amendment  # noqa: F401  (named in strings)
    from orders.models.history import StatusChange  # noqa: F401
    from orders.models.orders import Order, OrderItem  # noqa: F401

GUARDED = frozenset({"status", "version", "sequence", "changed_at"})

# How far an order's pickup and last update usually lie from its creation.
NEAR: Final = timedelta(days=2)
# The few orders beyond that: catering for next week, an import of last year's orders.
FAR: Final = (
    Q(LessThan(F("pickup_time") - F("created_at"), Value(-NEAR)))
    | Q(GreaterThan(F("pickup_time") - F("created_at"), Value(NEAR)))
    | Q(GreaterThan(F("updated_at") - F("created_at"), Value(NEAR)))
)
# Updates within this time are found by the index of updates.
LATELY: Final = timedelta(hours=1)


@contextmanager
def past_the_guard(using: str) -> Iterator[Any]:
    """A cursor for which the append-only guard allows what retention needs."""
    with connections[using].cursor() as cursor:
        cursor.execute("SET LOCAL huuva.retention = 'on'")
        yield cursor
        cursor.execute("SET LOCAL huuva.retention = 'off'")


def is_late_at(now: datetime) -> Q:
    """`statuses.is_late` as a condition."""
    return Q(status__in=UNREADY, due_at__lt=now)


def _refuse(what: str) -> NoReturn:
    raise TypeError(f"{what} would write no history: change a status through orders.services.")


class _Guarded[M: models.Model](models.QuerySet[M]):
    def update(self, **kwargs: Any) -> int:
        if not GUARDED.isdisjoint(kwargs):
            _refuse(f"update({', '.join(sorted(GUARDED & kwargs.keys()))})")
        return super().update(**kwargs)

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], *args: Any, **kwargs: Any) -> int:
        fields = list(fields)
        if not GUARDED.isdisjoint(fields):
            _refuse("bulk_update of a status")
        return super().bulk_update(objs, fields, *args, **kwargs)

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[M]:
        _refuse("bulk_create")


class OrderQuerySet(_Guarded["Order"]):
    def for_key(self, kitchen: str | None) -> Self:
        """The orders that a key may see: its kitchen's, or all where it has none."""
        return self if kitchen is None else self.filter(kitchen_id=kitchen)

    def late(self, now: datetime) -> Self:
        return self.filter(is_late_at(now))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")

    def with_times(
        self,
        *,
        updated_after: datetime | None = None,
        pickup_from: datetime | None = None,
        pickup_to: datetime | None = None,
    ) -> tuple[Self, ...]:
        """The orders with these update and pickup times, in parts that are quick to list by creation.

        An index by another time can't give orders by creation, and one by creation leads through all that were created
        later. But most orders were created near these times; the others have an index of their own.
        """
        times = Q()
        if pickup_from is not None:
            times &= Q(pickup_time__gte=pickup_from)
        if pickup_to is not None:
            times &= Q(pickup_time__lt=pickup_to)
        updated = Q() if updated_after is None else Q(updated_at__gt=updated_after)
        if updated_after is not None and updated_after > clock.now() - LATELY:
            return (self.filter(times, updated),)
        if not times and not updated:
            return (self,)
        since = [time for time in (pickup_from, updated_after) if time is not None]
        created = Q(created_at__gt=max(since) - NEAR) if since else Q()
        if pickup_to is not None:
            created &= Q(created_at__lt=pickup_to + NEAR)
        if updated_after is not None:
            # The sum keeps the planner from the index by update: it can't know that these are the newest ones anyway,
            # and would read them all to sort them.
            created &= Q(GreaterThan(F("updated_at") + Value(timedelta(0)), Value(updated_after)))
        return self.filter(times, created, ~FAR), self.filter(times, updated, FAR)


class ItemQuerySet(_Guarded["OrderItem"]):
    """Items change through `orders.services` too."""


class HistoryQuerySet(_Guarded["StatusChange"]):
    def update(self, **kwargs: Any) -> int:
        raise TypeError("History is append-only; nothing in it is updated.")

    def empty_reasons(self, order_ids: Sequence[str]) -> None:
        """For retention: reasons are free text and may name a customer. Inside a transaction only."""
        with past_the_guard(self.db) as cursor:
            cursor.execute(
                "UPDATE orders_statuschange SET reason = '' WHERE order_id = ANY(%s) AND reason <> ''",
                [list(order_ids)],
            )


class RecordQuerySet(models.QuerySet["Amendment"]):
    """Of rows that are never updated."""

    def update(self, **kwargs: Any) -> int:
        raise TypeError("Amendments are append-only; none of them is updated.")
