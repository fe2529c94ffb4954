"""Hypothesis drives the services with random orders and moves; a plain model of the kitchen says what must come out."""

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.model.kitchen_model import STATUSES, TERMINAL, allowed
from tests.model.side_by_side import SideBySide

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
COMMON = {
    "derandomize": not FUZZ,
    "deadline": None,
    "database": None,
    # They watch how Hypothesis draws and how fast; a database is slow by its nature.
    "suppress_health_check": list(HealthCheck),
}

# Early statuses more often, else most orders are over before anything happens to them.
early = st.sampled_from((1, 1, 1, 1, 2, 2, 3, 4, 5))
pasts = st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(-90, 90)), max_size=3)
lines = st.lists(st.none() | early, min_size=2, max_size=4)
positions = st.integers(0, 3)
actions = st.tuples(st.sampled_from("oiiiiiirrrtan"), positions, st.sampled_from((0, 0, 0, 0, 0, 0, 1, 2)))


class KitchenMachine(RuleBasedStateMachine):
    known = Bundle("known")

    @initialize(auto_advance=st.booleans())
    def open_kitchen(self, auto_advance: bool) -> None:
        self.kitchen = SideBySide(auto_advance=auto_advance)

    def teardown(self) -> None:
        self.kitchen.close()

    # Few open orders, so that each lives through much.
    @precondition(lambda self: sum(one.status not in TERMINAL for one in self.kitchen.models.values()) < 2)
    @rule(target=known, status=early, items=lines, past=pasts)
    def order_comes_in(self, status: int, items: list[int | None], past: list[tuple[int, int]]) -> str:
        return self.kitchen.create(status, items, past)

    @rule(order_id=known, to=st.sampled_from(STATUSES))
    def order_moves(self, order_id: str, to: int) -> None:
        self.kitchen.move(order_id, to)

    @rule(order_id=known, position=positions, to=st.sampled_from(STATUSES))
    def item_moves(self, order_id: str, position: int, to: int) -> None:
        self.kitchen.move_item(order_id, position, to)

    @rule(order_id=known)
    def channel_amends(self, order_id: str) -> None:
        self.kitchen.amend(order_id)

    @rule(order_id=known, position=st.none() | positions)
    def somebody_recalls(self, order_id: str, position: int | None) -> None:
        self.kitchen.recall(order_id, position)

    @rule(minutes=st.sampled_from((0, 1, 10, 31)))
    def time_passes(self, minutes: int) -> None:
        self.kitchen.clock.time += timedelta(minutes=minutes)

    @rule(seconds=st.integers(1, 90))
    def clock_is_set_back(self, seconds: int) -> None:
        self.kitchen.clock.time -= timedelta(seconds=seconds)

    @rule()
    def manager_switches_auto_advance(self) -> None:
        self.kitchen.switch_auto_advance()


@pytest.mark.django_db(transaction=True)
def test_the_services_do_what_the_rules_of_the_kitchen_say() -> None:
    run_state_machine_as_test(
        KitchenMachine,
        settings=settings(max_examples=2_000 if FUZZ else 60, stateful_step_count=30, **COMMON),
    )


def further(status: int, jump: int) -> int:
    """A status that can follow: the next one, or `jump` after it."""
    ways = allowed(status) or (status,)
    return ways[min(jump, len(ways) - 1)]


@pytest.mark.django_db(transaction=True)
@settings(max_examples=2_000 if FUZZ else 40, **COMMON)
@given(
    auto_advance=st.booleans(),
    items=st.lists(st.none(), min_size=2, max_size=3),
    life=st.lists(actions, min_size=12, max_size=25),
)
def test_long_lives_of_possible_moves_and_recalls(
    auto_advance: bool, items: list[None], life: list[tuple[str, int, int]]
) -> None:
    """Hardly anything here is refused as impossible, so recalls of lifts of recalled moves come to be."""
    kitchen = SideBySide(auto_advance=auto_advance)
    try:
        order_id = kitchen.create(1, list(items), [])
        model = kitchen.models[order_id]
        for what, position, jump in life:
            if what == "t":
                kitchen.clock.time += timedelta(minutes=position * 5)
            elif what == "a":
                kitchen.switch_auto_advance()
            elif what == "n" and model.status not in TERMINAL:
                kitchen.amend(order_id)
            elif what == "r" or model.status in TERMINAL:
                kitchen.recall(order_id, position or None)
            elif what == "o":
                kitchen.move(order_id, further(model.status, jump))
            else:
                plu = kitchen.plu(order_id, position)
                kitchen.move_item(order_id, position, further(model.items[plu], jump))
    finally:
        kitchen.close()
