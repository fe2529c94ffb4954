"""What is stored in bulk is what the services would have written."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders import bulk, feed, moves
from orders.errors import Refusal
from orders.models import Kitchen, Order, OrderItem, StatusChange
from orders.new import NewItem, NewOrder, PastStatus
from orders.recall import recall
from orders.services import create_order, move_item, move_items, move_order
from orders.statuses import READY
from orders.tasks import check_history
from orders.tests import factories

pytestmark = pytest.mark.django_db
FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
START = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)
PLUS = ("P1", "P2", "P3")


@dataclass(frozen=True)
class Deed:
    """`plus` empty: the order. `to` None: a recall, of the first PLU or of the latest change."""

    to: int | None
    plus: tuple[str, ...]
    minutes: float
    reason: str


deeds = st.lists(
    st.builds(
        Deed,
        to=st.sampled_from((1, 2, 2, 3, 3, 3, 4, 5, None, None)),
        plus=st.lists(st.sampled_from(PLUS), max_size=3, unique=True).map(tuple),
        # Backwards too: a change is never before the one before it.
        minutes=st.sampled_from((0, 0, 0.01, 1, 7, 31, -5)),
        reason=st.sampled_from(("", "wrong ticket")),
    ),
    max_size=12,
)
statuses = st.none() | st.integers(1, 5)
news = st.builds(
    lambda status, items, past, pickup, created: NewOrder(
        id="life",
        pickup_time=START + timedelta(minutes=pickup),
        items=[
            NewItem(
                plu,
                {
                    "name": plu.lower(),
                    "quantity": 2,
                    "modifiers": [{"name": "No onion"}],
                    "allergens": ["soy"],
                },
                item,
            )
            for plu, item in zip(PLUS, items, strict=False)
        ],
        details={
            "account": "a",
            "brand_id": "b",
            "channel_order_id": "c",
            "customer_name": "Äinö",
            "delivery_address": {"city": "Oulu"},
        },
        status=status,
        created_at=created and START - timedelta(days=1),
        history=[PastStatus(to, START + timedelta(minutes=at)) for to, at in past],
    ),
    st.sampled_from((1, 1, 1, 1, 2, 3, 4, 5)),
    st.lists(statuses, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(1, 5), st.integers(-90, 90)), max_size=2),
    st.sampled_from((20, -5)),
    st.booleans(),
)


def by_services(new: NewOrder, kitchen: Kitchen, steps: list[Deed]) -> list[bool]:
    """Lives it through the services; says of each deed whether it was refused."""
    now = START
    refused = []
    with mock.patch("orders.clock.now", side_effect=lambda: now):
        create_order(new, kitchen=kitchen, actor="key:wolt")
        plus = {item.plu for item in new.items}
        for deed in steps:
            now += timedelta(minutes=deed.minutes)
            known = [plu for plu in deed.plus if plu in plus]
            how = {"actor": "screen:grill", "reason": deed.reason}
            work: Callable[[], Any]
            if deed.to is None:
                work = lambda: recall(new.id, plu=known[0] if known else None, **how)  # noqa: B023, E731
            elif not known:
                work = lambda: move_order(new.id, deed.to, **how)  # noqa: B023, E731
            elif len(known) == 1:
                work = lambda: move_item(new.id, known[0], deed.to, **how)  # noqa: B023, E731
            else:
                work = lambda: move_items(new.id, known, deed.to, **how)  # noqa: B023, E731
            try:
                work()
                refused.append(False)
            except Refusal:
                refused.append(True)
    return refused


def in_bulk(new: NewOrder, kitchen: Kitchen, steps: list[Deed]) -> list[bool]:
    now = START
    refused = []
    life = bulk.SimulatedOrder(new, kitchen=kitchen, actor="key:wolt", at=now)
    plus = {item.plu for item in new.items}
    for deed in steps:
        now += timedelta(minutes=deed.minutes)
        known = [plu for plu in deed.plus if plu in plus]
        how: dict[str, Any] = {"at": now, "actor": "screen:grill", "reason": deed.reason}
        try:
            if deed.to is None:
                life.recall(known[0] if known else None, **how)
            elif known:
                life.move_items(known, deed.to, **how)
            else:
                life.move(deed.to, **how)
            refused.append(False)
        except (Refusal, moves.Impossible):
            refused.append(True)
    bulk.store([life])
    return refused


def everything() -> list[list[dict[str, Any]]]:
    return [
        list(Order.objects.values()),
        list(OrderItem.objects.order_by("position").values()),
        list(StatusChange.objects.order_by("sequence").values()),
    ]


class Undone(Exception):
    pass


@settings(
    max_examples=2000 if FUZZ else 60,
    derandomize=not FUZZ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(new=news, steps=deeds, lifts=st.booleans())
def test_a_life_stored_in_bulk_equals_one_that_was_lived(
    new: NewOrder, steps: list[Deed], lifts: bool
) -> None:
    kitchen = Kitchen(slug="bulk", name="Bulk", auto_advance=lifts)
    written = []
    for way in (by_services, in_bulk):
        with suppress(Undone), transaction.atomic():
            kitchen.save(force_insert=True)
            refused = way(new, kitchen, steps)
            assert check_history() == 0
            written.append((refused, everything()))
            raise Undone
    assert written[0] == written[1]


def test_a_bulk_is_one_transaction_of_three_statements_and_in_the_feed() -> None:
    kitchen = factories.kitchen()
    lives = [
        bulk.SimulatedOrder(factories.new_order(), kitchen=kitchen, actor="key:wolt", at=START)
        for _ in range(20)
    ]
    lives[3].move(READY, at=START, actor="screen:grill")
    with mock.patch.object(transaction, "atomic", side_effect=transaction.atomic) as atomic:
        assert bulk.store(lives) == 20 * 4 + 4
    assert atomic.call_count == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT tx), min(tx) = pg_current_xact_id() FROM orders_statuschange"
        )
        assert cursor.fetchone() == (84, 1, True)
    assert feed.lag_seconds() > 0, "it is open still"


@pytest.mark.one_server("COPY reports a taken id as an error of its own")
def test_a_bulk_with_an_id_that_is_taken_stores_nothing() -> None:
    taken = factories.order()
    free, again = (
        bulk.SimulatedOrder(factories.new_order(id=id), kitchen=taken.kitchen, actor="key:wolt", at=START)
        for id in ("free", taken.id)
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.store([free, again])
    assert Order.objects.get() == taken


def test_a_detail_that_no_column_has_is_refused() -> None:
    new = factories.new_order(colour="red")
    with pytest.raises(TypeError, match="colour"):
        bulk.SimulatedOrder(new, kitchen=factories.kitchen(), actor="key:wolt", at=START)
