"""One kitchen in the database and in the model side by side: each action goes to both, then the results are compared."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from unittest import mock

from orders.amendments import amend_order
from orders.errors import Refusal
from orders.models import Amendment, Kitchen, Order, StatusChange
from orders.new import NewItem, NewOrder, PastStatus
from orders.recall import recall
from orders.services import create_order, move_item, move_order
from orders.statuses import Kind
from orders.tests import factories
from tests import planted
from tests.model.kitchen_model import OrderModel, Refused, Row

RECALL_WITHIN = timedelta(minutes=30)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    """Stands in for `datetime` where orders.clock asks for the time."""

    def __init__(self) -> None:
        self.time = START

    def now(self, zone: Any = None) -> datetime:
        return self.time


class SideBySide:
    """Call `close` at the end: until then the domain's clock stands still."""

    def __init__(self, *, auto_advance: bool) -> None:
        self.clock = Clock()
        self.patch = mock.patch("orders.clock.datetime", self.clock)
        self.patch.start()
        self.models: dict[str, OrderModel] = {}
        self.auto_advance = auto_advance
        self.kitchen = factories.kitchen(
            f"k-{uuid.uuid4().hex[:12]}",
            name="Harju",
            auto_advance=auto_advance,
            recall_minutes=RECALL_WITHIN.seconds // 60,
        )

    def close(self) -> None:
        try:
            for order_id in self.models:
                self.check(order_id)
        finally:
            self.patch.stop()

    def switch_auto_advance(self) -> None:
        self.auto_advance = not self.auto_advance
        Kitchen.objects.filter(pk=self.kitchen.pk).update(auto_advance=self.auto_advance)

    def create(self, status: int, items: list[int | None], past: list[tuple[int, int]]) -> str:
        """A new order. `past` is its imported history: statuses and when, in minutes from now."""
        order_id = uuid.uuid4().hex
        history = [(old, self.clock.time + timedelta(minutes=minutes)) for old, minutes in past]
        plus = {f"P-{position}": item for position, item in enumerate(items)}
        self.models[order_id] = OrderModel(status, plus, history, self.clock.time)
        new = NewOrder(
            id=order_id,
            pickup_time=self.clock.time,
            items=[NewItem(plu, {"name": plu, "quantity": 1}, item) for plu, item in plus.items()],
            details={"account": "a", "brand_id": "b", "channel_order_id": "c", "customer_name": planted.NAME},
            status=status,
            history=[PastStatus(old, at) for old, at in history],
        )
        create_order(new, kitchen=self.kitchen, actor="key:test")
        self.check(order_id)
        return order_id

    def move(self, order_id: str, to: int) -> None:
        self.same(
            order_id,
            lambda: move_order(order_id, to, actor="user:anna"),
            lambda: self.models[order_id].move(to, self.clock.time),
        )

    def move_item(self, order_id: str, position: int, to: int) -> None:
        plu = self.plu(order_id, position)
        self.same(
            order_id,
            lambda: move_item(order_id, plu, to, actor="screen:grill-1"),
            lambda: self.models[order_id].move_item(plu, to, self.clock.time, auto_advance=self.auto_advance),
        )

    def amend(self, order_id: str) -> None:
        """Always another note than before."""
        self.same(
            order_id,
            lambda: amend_order(order_id, note=uuid.uuid4().hex, actor="key:test"),
            self.models[order_id].amend,
        )

    def recall(self, order_id: str, position: int | None) -> None:
        plu = None if position is None else self.plu(order_id, position)
        self.same(
            order_id,
            lambda: recall(order_id, plu=plu, actor="user:anna", reason="oops"),
            lambda: self.models[order_id].recall(
                plu, self.clock.time, auto_advance=self.auto_advance, within=RECALL_WITHIN
            ),
        )

    def plu(self, order_id: str, position: int) -> str:
        plus = list(self.models[order_id].items)
        return plus[position % len(plus)]

    def same(self, order_id: str, real: Callable[[], object], model: Callable[[], None]) -> None:
        """Both do it, or both refuse it for the same reason; then the results are compared."""
        expected = got = ""
        try:
            model()
        except Refused as refusal:
            expected = refusal.code
        try:
            real()
        except Refusal as refusal:
            got = refusal.code
        assert got == expected, f"refused as {got or 'nothing'}, the model says {expected or 'fine'}"
        self.check(order_id)

    def check(self, order_id: str) -> None:
        model = self.models[order_id]
        order = Order.objects.get(pk=order_id)
        items = dict(order.items.order_by("position").values_list("plu", "status"))
        columns = ("sequence", "change", "plu", "from_status", "to_status", "kind", "at")
        stored = StatusChange.objects.filter(order_id=order_id).order_by("sequence").values_list(*columns)
        history = [
            Row(sequence, change, plu, before, after, Kind(kind).name.lower(), at)
            for sequence, change, plu, before, after, kind, at in stored
        ]
        assert (order.status, items, order.version) == (model.status, model.items, model.version)
        assert history == model.history
        amendments = Amendment.objects.filter(order_id=order_id).values_list("version", flat=True)
        check_consistency(order.status, items, order.version, history, set(amendments))


def check_consistency(
    status: int, items: dict[str, int], version: int, history: list[Row], amendments: set[int]
) -> None:
    """What holds whatever happened, without asking the model."""
    assert [row.sequence for row in history] == list(range(1, len(history) + 1))
    # Each version is a change or an amendment, never both.
    changes = {row.change for row in history}
    assert sorted([*changes, *amendments]) == list(range(1, version + 1))
    own = [row.at for row in history if row.kind != "import"]
    assert all(sooner <= later for sooner, later in pairwise(own))
    for plu, now in {None: status, **items}.items():
        rows = [row for row in history if row.plu == plu]
        assert rows[0].before is None
        assert rows[-1].after == now
        assert all(later.before == sooner.after for sooner, later in pairwise(rows))
        assert all(row.kind == "import" or row.before != row.after for row in rows)
