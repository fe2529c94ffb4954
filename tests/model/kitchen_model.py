"""The rules for orders (docs/architecture.md, ADR 6 and 7) in plain Python: no database, no Django, nothing of the product.

Times are any values that can be compared and subtracted; statuses are the numbers 1 to 5.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

RECEIVED, PREPARING, READY, PICKED_UP, CANCELLED = 1, 2, 3, 4, 5
STATUSES = (RECEIVED, PREPARING, READY, PICKED_UP, CANCELLED)
TERMINAL = (PICKED_UP, CANCELLED)


class Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Row:
    """One row of history; `plu` is None for the order's own."""

    sequence: int
    change: int
    plu: str | None
    before: int | None
    after: int
    kind: str
    at: datetime


@dataclass
class Change:
    """One action with its rows. `recalled` once it was taken back."""

    number: int
    kind: str
    at: datetime
    rows: list[Row] = field(default_factory=list)
    recalled: bool = False

    @property
    def counts(self) -> bool:
        return self.kind == "transition" and not self.recalled

    @property
    def by_order(self) -> bool:
        """Whether the change began with the order, not with an item that lifted it."""
        return self.rows[0].plu is None


def allowed(status: int) -> tuple[int, ...]:
    return () if status in TERMINAL else tuple(to for to in STATUSES if to > status)


def behind(item: int, order: int) -> bool:
    return item not in TERMINAL and item < order


def lift(items: list[int]) -> int:
    """What items stand for: where their order belongs by them alone."""
    live = [status for status in items if status != CANCELLED]
    if not live:
        return CANCELLED
    if all(status == PICKED_UP for status in live):
        return PICKED_UP
    if all(status >= READY for status in live):
        return READY
    return PREPARING if any(status > RECEIVED for status in live) else RECEIVED


class OrderModel:
    def __init__(
        self,
        status: int,
        items: dict[str, int | None],
        past: list[tuple[int, datetime]],
        now: datetime,
    ) -> None:
        self.status = status
        self.items: dict[str, int] = {}
        self.changes: list[Change] = []
        creation = self._begin("creation", now)
        before = None
        for past_status, at in past:
            self._write(creation, None, before, past_status, "import", at)
            before = past_status
        if before != status:
            self._write(creation, None, before, status)
        for plu, item_status in items.items():
            own = status if item_status is None else item_status
            if status >= READY and own not in TERMINAL:
                own = max(own, status)
            self.items[plu] = own
            self._write(creation, plu, None, own)
        self.first = status

    @property
    def version(self) -> int:
        return len(self.changes)

    @property
    def history(self) -> list[Row]:
        return [row for change in self.changes for row in change.rows]

    def move(self, to: int, now: datetime) -> None:
        if to == self.status:
            return
        if to not in allowed(self.status):
            raise Refused("impossible_move")
        change = self._begin("transition", now)
        self._set_order(change, to)
        for plu, status in self.items.items():
            if behind(status, to):
                self._set_item(change, plu, to)

    def move_item(self, plu: str, to: int, now: datetime, *, auto_advance: bool) -> None:
        if to == self.items[plu]:
            return
        if self.status in TERMINAL or to not in allowed(self.items[plu]):
            raise Refused("impossible_move")
        change = self._begin("transition", now)
        self._set_item(change, plu, to)
        target = lift(list(self.items.values()))
        if auto_advance and target > self.status:
            self._set_order(change, target)

    def amend(self) -> None:
        """A version without rows: what was amended is no status. Its time is none that history goes by."""
        if self.status in TERMINAL:
            raise Refused("impossible_amendment")
        self.changes.append(Change(len(self.changes) + 1, "amendment", self.changes[-1].at))

    def recall(self, plu: str | None, now: datetime, *, auto_advance: bool, within: timedelta) -> None:
        change = next(
            (c for c in reversed(self.changes) if c.counts and (plu is None or self._rows(c, plu))),
            None,
        )
        if change is None:
            raise Refused("nothing_to_recall")
        if any(row.after == CANCELLED for row in change.rows):
            raise Refused("cancellation_is_final")
        if now - change.at > within:
            raise Refused("recall_expired")
        items = [row for row in change.rows if row.plu is not None]
        if any(self._last(row.plu) is not change for row in items):
            raise Refused("recall_blocked")
        if change.by_order and self._last(None) is not change:
            raise Refused("recall_blocked")
        after = {row.plu: row.before for row in items}
        statuses = [after.get(plu) or status for plu, status in self.items.items()]
        target = self._status_after(change, statuses, auto_advance)
        if not change.by_order and target >= READY and any(behind(status, target) for status in statuses):
            # The order was called ready, picked up or cancelled: it would contradict its items.
            raise Refused("cancellation_is_final" if target == CANCELLED else "recall_blocked")
        back = self._begin("recall", now)
        change.recalled = True
        if change.by_order:
            self._set_order(back, target)
        for row in items:
            assert row.plu is not None
            assert row.before is not None
            self._set_item(back, row.plu, row.before)
        if not change.by_order:
            self._set_order(back, target)

    def _status_after(self, change: Change, statuses: list[int], auto_advance: bool) -> int:
        """Where the order goes when `change` is taken back, which leaves its items in `statuses`."""
        if change.by_order:
            before = change.rows[0].before
            assert before is not None
            return before
        target, lifts = self.status, self._rows(change, None)
        if auto_advance or lifts:
            target = min(target, max(self._floor(), lift(statuses)))
        if lifts and change is next(c for c in reversed(self.changes) if c.counts):
            assert lifts[0].before is not None
            target = min(target, lifts[0].before)
        return target

    def _floor(self) -> int:
        """The status below which items can't pull their order back: what was said of the order as a whole."""
        for change in reversed(self.changes):
            if change.counts and change.by_order:
                return change.rows[0].after
        return self.first

    def _last(self, plu: str | None) -> Change | None:
        """The change that the present status comes from, leaving out what was taken back."""
        return next(
            (change for change in reversed(self.changes) if change.counts and self._rows(change, plu)), None
        )

    @staticmethod
    def _rows(change: Change, plu: str | None) -> list[Row]:
        return [row for row in change.rows if row.plu == plu]

    def _begin(self, kind: str, now: datetime) -> Change:
        at = max(now, self.changes[-1].at) if self.changes else now
        change = Change(len(self.changes) + 1, kind, at)
        self.changes.append(change)
        return change

    def _set_order(self, change: Change, to: int) -> None:
        if to != self.status:
            self._write(change, None, self.status, to)
            self.status = to

    def _set_item(self, change: Change, plu: str, to: int) -> None:
        self._write(change, plu, self.items[plu], to)
        self.items[plu] = to

    def _write(
        self,
        change: Change,
        plu: str | None,
        before: int | None,
        after: int,
        kind: str | None = None,
        at: datetime | None = None,
    ) -> None:
        kind_name = kind or ("recall" if change.kind == "recall" else "transition")
        sequence = len(self.history) + 1
        change.rows.append(Row(sequence, change.number, plu, before, after, kind_name, at or change.at))
