"""Orders simulated by random steps, which go through the services of the domain."""

import threading
import uuid
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.db import connection, transaction
from hypothesis import strategies as st

from orders.errors import Refusal
from orders.models import Kitchen
from orders.new import NewItem, NewOrder, PastStatus
from orders.recall import recall
from orders.services import create_order, move_item, move_order

KITCHENS = {"harju": "Europe/Helsinki", "queens": "America/New_York", "pune": "Asia/Kolkata"}
# Around the hour, day and month in which Helsinki and New York change their clocks.
START = datetime(2026, 10, 31, 22, 40, tzinfo=UTC)


@dataclass(frozen=True)
class Step:
    """One call of a service: `what` is create, move, item or recall; the numbers choose among the orders there are."""

    what: str
    which: int
    to: int
    minutes: float
    past: list[tuple[int, float]] = field(default_factory=list)
    # Whether its transaction stays open while the next steps commit. `worked`: it has written and locks the order.
    # `begun`: it has its transaction id and writes when it commits, so the feed returns its rows before those stored
    # meanwhile, though they have higher sequences.
    late: str = ""


# Recalls are refused after half an hour.
_minutes = st.sampled_from((0, 0, 0, 0.5, 1, 2, 3, 7, 20, 61, 60 * 25))
_past = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from((-60 * 24 * 365.0, -90, -61, -5, -0.5, 0, 30))), max_size=4
)


def _step(what: tuple[str, ...]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        what=st.sampled_from(what),
        which=st.integers(0, 5),
        to=st.sampled_from((1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5)),
        minutes=_minutes,
        past=st.just([]) | _past,
        late=st.sampled_from(("", "", "", "", "worked", "begun")),
    )


_AFTER_CREATION = (
    "create",
    "move",
    "move",
    "move",
    "item",
    "item",
    "item",
    "recall",
    "recall",
    "refresh",
    "refresh",
)
# First orders, then many steps on them.
steps = st.builds(
    lambda first, rest: first + rest,
    st.lists(_step(("create",)), min_size=1, max_size=2),
    st.lists(_step(_AFTER_CREATION), min_size=15, max_size=40),
)


class SimulatedOrders:
    """Runs steps. One that the rules of the kitchen refuse changes nothing."""

    def __init__(self) -> None:
        self.now = START
        self.orders: list[str] = []
        self.items: dict[str, list[str]] = {}
        self.kitchens = [
            Kitchen.objects.get_or_create(slug=slug, defaults={"name": slug, "time_zone": zone})[0]
            for slug, zone in KITCHENS.items()
        ]
        self._open: list[OpenTransaction] = []
        # Locked by a transaction that is still open: any other step on them would wait for it.
        self._locked: set[str] = set()

    @contextmanager
    def clock(self) -> Any:
        with mock.patch("orders.clock.now", side_effect=lambda: self.now):
            yield

    def run(self, step: Step) -> None:
        self.now += timedelta(minutes=step.minutes)
        if step.what == "create":
            order_id = uuid.uuid4().hex
            new = self._new(order_id, step)
            kitchen = self.kitchens[step.which % 3]
            late = step.late and "worked"
            self._do(late, order_id, lambda: create_order(new, kitchen=kitchen, actor="key:wolt"))
            self.orders.append(order_id)
            self.items[order_id] = [item.plu for item in new.items]
            return
        free = [order_id for order_id in self.orders if order_id not in self._locked]
        if not free:
            return
        order_id = free[step.which % len(free)]
        plu = self.items[order_id][step.which % len(self.items[order_id])]
        work: dict[str, Callable[[], Any]] = {
            "move": lambda: move_order(order_id, step.to, actor="user:anna"),
            "item": lambda: move_item(order_id, plu, step.to, actor="screen:grill"),
            "recall": lambda: recall(order_id, plu=plu if step.to > 3 else None, actor="user:anna"),
        }
        self._do(step.late, order_id, work[step.what])

    def commit_all(self) -> None:
        """Commit the transactions that are still open, the last started first."""
        while self._open:
            self._open.pop().commit()
        self._locked.clear()

    def _new(self, order_id: str, step: Step) -> NewOrder:
        number = 1 + step.which % 4
        return NewOrder(
            id=order_id,
            pickup_time=self.now + timedelta(minutes=step.to * 8 - 20),
            items=[
                NewItem(f"P{(step.which + n) % 5}/ä", {"name": "Dish", "quantity": 1}) for n in range(number)
            ],
            details={
                "account": f"acc-{step.which % 4}",
                "brand_id": f"brand {step.which % 2}",
                "channel": ("", "wolt")[step.which % 2],
                "channel_order_id": "c",
                "customer_name": "Aino",
            },
            status=step.to if step.which == 5 else 1,
            created_at=self.now - timedelta(minutes=step.minutes * 7) if step.which % 2 else None,
            history=[
                PastStatus(status, self.now + timedelta(minutes=minutes)) for status, minutes in step.past
            ],
        )

    def _do(self, late: str, order_id: str, work: Callable[[], Any]) -> None:
        if late:
            if late == "worked":
                self._locked.add(order_id)
            self._open.append(OpenTransaction(work, at_once=late == "worked"))
            return
        with suppress(Refusal):
            work()


class OpenTransaction:
    """A transaction of another connection that waits for `commit`; it does its work at once or only then."""

    def __init__(self, work: Callable[[], Any], *, at_once: bool) -> None:
        self._open, self._may_commit = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work, at_once))
        self._thread.start()
        assert self._open.wait(10)

    def _run(self, work: Callable[[], Any], at_once: bool) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
                if at_once:
                    self._work(work)
                self._open.set()
                self._may_commit.wait(10)
                if not at_once:
                    self._work(work)
        except Exception as error:  # noqa: BLE001 (raised by `commit`)
            self._error = error
        finally:
            self._open.set()
            connection.close()

    @staticmethod
    def _work(work: Callable[[], Any]) -> None:
        with suppress(Refusal):
            work()

    def commit(self) -> None:
        self._may_commit.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
