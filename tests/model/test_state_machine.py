"""Hypothesis drives the services with random lives of orders, and a plain model of DESIGN §4 says what must come out."""

import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orders.models import Kitchen, Order, StatusChange
from orders.new import NewItem, NewOrder, PastStatus
from orders.recall import recall
from orders.refusals import Refusal
from orders.services import create_order, move_item, move_order
from orders.statuses import Kind
from tests.model.kitchen_model import STATUSES, TERMINAL, OrderModel, Refused, Row, allowed

RECALL_WITHIN = timedelta(minutes=30)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"

statuses = st.sampled_from(STATUSES)
# Early statuses more often, else most orders are over before anything happens to them.
early = st.sampled_from((1, 1, 1, 1, 2, 2, 3, 4, 5))
targets = st.sampled_from((2,) * 6 + (3,) * 6 + (4, 4, 5, 1))
pasts = st.lists(st.tuples(statuses, st.integers(-90, 90)), max_size=3)
lines = st.lists(st.none() | early, min_size=2, max_size=4)


def further(status: int, jump: int) -> int:
    """A status that can follow: the next one, or `jump` after it."""
    ways = allowed(status) or (status,)
    return ways[min(jump, len(ways) - 1)]


class Clock:
    """Stands in for `datetime` where orders.clock asks for the time."""

    def __init__(self) -> None:
        self.time = START

    def now(self, zone: Any = None) -> datetime:
        return self.time


class KitchenMachine(RuleBasedStateMachine):
    """One kitchen with its orders, in the database and in the model side by side."""

    known = Bundle("known")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.patch = mock.patch("orders.clock.datetime", self.clock)
        self.patch.start()
        self.models: dict[str, OrderModel] = {}

    def teardown(self) -> None:
        try:
            for order_id in self.models:
                self.check(order_id)
        finally:
            self.patch.stop()

    @initialize(auto_advance=st.booleans())
    def open_kitchen(self, auto_advance: bool) -> None:
        self.auto_advance = auto_advance
        self.kitchen = Kitchen.objects.create(
            slug=f"k-{uuid.uuid4().hex[:12]}",
            name="Harju",
            auto_advance=auto_advance,
            recall_minutes=RECALL_WITHIN.seconds // 60,
        )

    # Few open orders, so that each lives through much.
    @precondition(lambda self: sum(model.status not in TERMINAL for model in self.models.values()) < 2)
    @rule(target=known, status=early, items=lines, past=pasts)
    def order_comes_in(self, status: int, items: list[int | None], past: list[tuple[int, int]]) -> str:
        order_id = uuid.uuid4().hex
        told = [(old, self.clock.time + timedelta(minutes=minutes)) for old, minutes in past]
        plus = {f"P-{position}": item for position, item in enumerate(items)}
        self.models[order_id] = OrderModel(status, plus, told, self.clock.time)
        new = NewOrder(
            id=order_id,
            pickup_time=self.clock.time,
            items=[NewItem(plu, {"name": plu, "quantity": 1}, item) for plu, item in plus.items()],
            details={"account": "a", "brand_id": "b", "channel_order_id": "c", "customer_name": "Aino"},
            status=status,
            history=[PastStatus(old, at) for old, at in told],
        )
        create_order(new, kitchen=self.kitchen, actor="key:test")
        self.check(order_id)
        return order_id

    @rule(order_id=known, to=targets)
    def order_moves(self, order_id: str, to: int) -> None:
        self.same(
            order_id,
            lambda: move_order(order_id, to, actor="user:anna"),
            lambda: self.models[order_id].move(to, self.clock.time),
        )

    @rule(order_id=known, position=st.integers(0, 3), to=targets)
    def item_moves(self, order_id: str, position: int, to: int) -> None:
        plu = self.plu(order_id, position)
        self.same(
            order_id,
            lambda: move_item(order_id, plu, to, actor="screen:grill-1"),
            lambda: self.models[order_id].move_item(plu, to, self.clock.time, auto_advance=self.auto_advance),
        )

    @precondition(lambda self: any(model.version > 1 for model in self.models.values()))
    @rule(order_id=known, position=st.none() | st.integers(0, 3))
    def somebody_recalls(self, order_id: str, position: int | None) -> None:
        plu = None if position is None else self.plu(order_id, position)
        self.same(
            order_id,
            lambda: recall(order_id, plu=plu, actor="user:anna", reason="oops"),
            lambda: self.models[order_id].recall(
                plu, self.clock.time, auto_advance=self.auto_advance, within=RECALL_WITHIN
            ),
        )

    @rule(
        order_id=known,
        actions=st.lists(
            st.tuples(
                st.sampled_from("oiiiiiirr"), st.integers(0, 3), st.sampled_from((0, 0, 0, 0, 0, 1, 2))
            ),
            min_size=4,
            max_size=12,
        ),
    )
    def a_busy_minute(self, order_id: str, actions: list[tuple[str, int, int]]) -> None:
        """Many possible moves in one step: lives become long enough for recalls of lifts of recalled moves."""
        model = self.models[order_id]
        for what, position, jump in actions:
            if model.status in TERMINAL:
                self.somebody_recalls(order_id, position or None)
                break
            if what == "o":
                self.order_moves(order_id, further(model.status, jump))
            elif what == "i":
                plu = self.plu(order_id, position)
                self.item_moves(order_id, position, further(model.items[plu], jump))
            else:
                self.somebody_recalls(order_id, position or None)

    @rule(minutes=st.sampled_from((0, 1, 10, 31)))
    def time_passes(self, minutes: int) -> None:
        self.clock.time += timedelta(minutes=minutes)

    @rule(seconds=st.integers(1, 90))
    def clock_is_set_back(self, seconds: int) -> None:
        self.clock.time -= timedelta(seconds=seconds)

    @rule()
    def manager_switches_auto_advance(self) -> None:
        self.auto_advance = not self.auto_advance
        Kitchen.objects.filter(pk=self.kitchen.pk).update(auto_advance=self.auto_advance)

    def plu(self, order_id: str, position: int) -> str:
        plus = list(self.models[order_id].items)
        return plus[position % len(plus)]

    def same(self, order_id: str, real: Callable[[], object], model: Callable[[], None]) -> None:
        """Both do it, or both refuse it for the same reason; then the books are compared."""
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
        history = [
            Row(sequence, change, plu, before, after, Kind(kind).name.lower(), at)
            for sequence, change, plu, before, after, kind, at in StatusChange.objects.filter(
                order_id=order_id
            )
            .order_by("sequence")
            .values_list("sequence", "change", "plu", "from_status", "to_status", "kind", "at")
        ]
        assert (order.status, items, order.version) == (model.status, model.items, model.version)
        assert history == model.history
        check_books(order.status, items, order.version, history)


def check_books(status: int, items: dict[str, int], version: int, history: list[Row]) -> None:
    """What holds whatever happened, without asking the model."""
    assert [row.sequence for row in history] == list(range(1, len(history) + 1))
    assert version == len({row.change for row in history}) == history[-1].change
    own = [row.at for row in history if row.kind != "import"]
    assert all(sooner <= later for sooner, later in pairwise(own))
    for plu, now in {None: status, **items}.items():
        rows = [row for row in history if row.plu == plu]
        assert rows[0].before is None
        assert rows[-1].after == now
        assert all(later.before == sooner.after for sooner, later in pairwise(rows))
        assert all(row.kind == "import" or row.before != row.after for row in rows)


@pytest.mark.django_db(transaction=True)
def test_the_services_do_what_the_rules_of_the_kitchen_say() -> None:
    run_state_machine_as_test(
        KitchenMachine,
        settings=settings(
            max_examples=2_000 if FUZZ else 60,
            stateful_step_count=60 if FUZZ else 25,
            derandomize=not FUZZ,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
