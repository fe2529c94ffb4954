"""The one way past `orders.services`: whole lives of orders, stored by COPY. For simulated pasts and imports only.

A `Life` is told what happened when, and keeps in memory exactly the rows that the services would have written had they
been called at those times; a test holds the two equal on random lives. `store` writes many lives as one transaction,
some hundred times as fast as services do.

What it doesn't do: nobody is told. `order_changed` is not sent, so no alarm rings and no screen is hinted at; the
change feed has the rows like any others.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from django.db import connection, models, transaction

from orders.models import Kitchen, Order, OrderItem, StatusChange
from orders.new import NewOrder
from orders.recall import take_back
from orders.statuses import MOVES, OPEN, READY, TERMINAL, Kind, follows, lifted


class Impossible(ValueError):
    """The services would have refused that; the life is as it was before."""


class _Line:
    """An item while its order is lived."""

    __slots__ = ("details", "plu", "status")

    def __init__(self, plu: str, status: int, details: dict[str, Any]) -> None:
        self.plu, self.status, self.details = plu, status, details


class _Row(NamedTuple):
    """A row of the history, in the order of its columns; read by `take_back` as if it were the model."""

    order_id: str
    sequence: int
    plu: str | None
    from_status: int | None
    to_status: int
    kind: int
    change: int
    recalls: int | None
    at: datetime
    recorded_at: datetime
    actor: str
    reason: str


class SimulatedOrder:
    """An order that came at `at`, and what has happened to it since. Times must not go back."""

    __slots__ = ("_new", "changed_at", "created_at", "due_at", "kitchen", "lines", "log", "status", "version")

    def __init__(self, new: NewOrder, *, kitchen: Kitchen, actor: str, at: datetime) -> None:
        """As `create_order` does it."""
        self._new, self.kitchen = new, kitchen
        self.status, self.version, self.changed_at = new.status, 1, at
        self.created_at = new.created_at or at
        self.due_at = new.pickup_time if new.pickup_time > at else at + kitchen.target
        self.lines: dict[str, _Line] = {}
        self.log: list[_Row] = []
        before: int | None = None
        for past in new.history:
            self._record(None, before, past.status, past.at, at, actor, kind=Kind.IMPORT)
            before = past.status
        if before != new.status:
            self._record(None, before, new.status, at, at, actor)
        for item in new.items:
            status = new.status if item.status is None else item.status
            if new.status >= READY and follows(status, new.status):
                status = new.status
            self.lines[item.plu] = _Line(item.plu, status, item.details)
            self._record(item.plu, None, status, at, at, actor)

    def move(self, to: int, *, at: datetime, actor: str, reason: str = "") -> None:
        """As `move_order` does it. Raises Impossible."""
        if to == self.status:
            return
        if to not in MOVES[self.status]:
            raise Impossible(f"{self._new.id} can't go from {self.status} to {to}.")
        at = self._begin(at)
        self._record(None, self.status, to, at, at, actor, reason)
        self.status = to
        for line in self.lines.values():
            if follows(line.status, to):
                self._record(line.plu, line.status, to, at, at, actor, reason)
                line.status = to

    def move_items(self, plus: Iterable[str], to: int, *, at: datetime, actor: str, reason: str = "") -> None:
        """As `move_item` and `move_items` do it: of several, those that are that far stay. Raises Impossible."""
        wanted = set(plus)
        lines = [line for line in self.lines.values() if line.plu in wanted]
        if len(wanted) > 1:
            lines = [line for line in lines if follows(line.status, to)]
        if all(line.status == to for line in lines):
            return
        if self.status in TERMINAL or any(to not in MOVES[line.status] for line in lines):
            raise Impossible(f"Items of {self._new.id} can't go to {to}.")
        at = self._begin(at)
        for line in lines:
            self._record(line.plu, line.status, to, at, at, actor, reason)
            line.status = to
        if self.kitchen.auto_advance:
            target = lifted([line.status for line in self.lines.values()])
            if target > self.status:
                self._record(None, self.status, target, at, at, actor, reason)
                self.status = target

    def recall(self, plu: str | None = None, *, at: datetime, actor: str, reason: str = "") -> None:
        """As `recall` does it. Raises the refusals of orders.recall."""
        order = Order(
            id=self._new.id,
            kitchen=self.kitchen,
            status=self.status,
            version=self.version,
            sequence=len(self.log),
            changed_at=self.changed_at,
            updated_at=self.changed_at,
        )
        items = [
            OrderItem(order_id=order.id, plu=line.plu, status=line.status) for line in self.lines.values()
        ]
        log: Any = self.log
        change, _ = take_back(order, items, log, plu, actor, reason, at=at)
        self.log += [_Row(*(getattr(row, name) for name in _Row._fields)) for row in change.rows]
        self.status, self.version, self.changed_at = order.status, order.version, order.changed_at
        for item in items:
            self.lines[item.plu].status = item.status

    def _begin(self, at: datetime) -> datetime:
        self.version += 1
        self.changed_at = max(at, self.changed_at)
        return self.changed_at

    def _record(
        self,
        plu: str | None,
        before: int | None,
        after: int,
        at: datetime,
        recorded_at: datetime,
        actor: str,
        reason: str = "",
        kind: int = Kind.TRANSITION,
    ) -> None:
        log = self.log
        row = (
            self._new.id,
            len(log) + 1,
            plu,
            before,
            after,
            kind,
            self.version,
            None,
            at,
            recorded_at,
            actor,
            reason,
        )
        log.append(_Row._make(row))

    def order_row(self) -> dict[str, Any]:
        new = self._new
        return {
            **new.details,
            "id": new.id,
            "kitchen_id": self.kitchen.slug,
            "status": self.status,
            "version": self.version,
            "sequence": len(self.log),
            "changed_at": self.changed_at,
            "updated_at": self.changed_at,
            "created_at": self.created_at,
            "due_at": self.due_at,
            "currency": new.currency or self.kitchen.currency,
            "pickup_time": new.pickup_time,
        }

    def item_rows(self) -> Iterable[dict[str, Any]]:
        for position, line in enumerate(self.lines.values()):
            row = {"order_id": self._new.id, "plu": line.plu, "position": position, "status": line.status}
            yield {**line.details, **row}

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


class _Copy:
    """COPY into one table, of dicts that may leave out what has a default."""

    def __init__(self, model: type[models.Model]) -> None:
        fields = model._meta.concrete_fields
        self.table = model._meta.db_table
        self.columns = [str(field.column) for field in fields]
        self.types = [(field.db_type(connection) or "").partition("(")[0] for field in fields]
        self.defaults = {field.attname: field.get_default() for field in fields}
        self.names = list(self.defaults)

    def rows(self, dicts: Iterable[dict[str, Any]]) -> Iterable[tuple[Any, ...]]:
        for row in dicts:
            known = {**self.defaults, **row}
            if len(known) != len(self.names):
                raise TypeError(f"{self.table} has no {', '.join(known.keys() - self.defaults.keys())}.")
            yield tuple(map(known.__getitem__, self.names))

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        names = ", ".join(f'"{name}"' for name in self.columns)
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(f'COPY "{self.table}" ({names}) FROM STDIN (FORMAT binary)') as copy,
        ):
            copy.set_types(self.types)
            for row in rows:
                copy.write_row(row)


# How many lives are well stored at once: enough for COPY to be fast, few enough for one page of the feed's readers.
BATCH: Final = 1000


def store(lives: Sequence[SimulatedOrder]) -> int:
    """Write these lives as one transaction; returns how many rows of history they have.

    Raises IntegrityError where an id is taken already; then nothing of them is stored.
    """
    if not lives:
        return 0
    orders, items, history = _Copy(Order), _Copy(OrderItem), _Copy(StatusChange)
    if history.names != list(_Row._fields):
        raise TypeError(f"The history has other columns than are written here: {', '.join(history.names)}.")
    with transaction.atomic():
        orders.write(orders.rows(life.order_row() for life in lives))
        items.write(items.rows(chain.from_iterable(life.item_rows() for life in lives)))
        history.write(chain.from_iterable(life.log for life in lives))
    return sum(len(life.log) for life in lives)
