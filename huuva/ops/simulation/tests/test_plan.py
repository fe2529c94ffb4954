from __future__ import annotations

import itertools
import random

import pytest

from huuva.ops.simulation.arrivals import DAY, PEAK_HOUR, arrivals, busyness, hour_at
from huuva.ops.simulation.menu import BRANDS, STATIONS
from huuva.ops.simulation.rush import CANCELLED, PICKED_UP, READY, RELEASE, Planned, plan_rush


@pytest.fixture(scope="module")
def evening() -> list[Planned]:
    """The orders of four hours, some 700."""
    return plan_rush(seed=11, rate=4, minutes=240)


def test_the_same_seed_gives_the_same_plan() -> None:
    assert plan_rush(7, rate=3, minutes=60) == plan_rush(7, rate=3, minutes=60)
    assert plan_rush(7, rate=3, minutes=60) != plan_rush(8, rate=3, minutes=60)


def test_the_peak_is_the_busiest_moment_and_in_the_middle() -> None:
    assert busyness(PEAK_HOUR) == 1 == max(level for _, level in DAY)
    assert hour_at(30 * 60, minutes=60) == PEAK_HOUR
    assert busyness(25) == busyness(1)
    assert all(0 < busyness(tenth / 10) <= 1 for tenth in range(240))


def test_arrivals_follow_the_curve() -> None:
    day, rate = 24 * 60, 10.0
    seconds = list(arrivals(random.Random(3), rate, day))
    assert seconds == sorted(seconds)
    for first_hour in range(0, 24, 2):
        moments = [(first_hour * 60 + minute) * 60.0 for minute in range(120)]
        expected = sum(rate * busyness(hour_at(moment, day)) for moment in moments)
        there = sum(moments[0] <= second < moments[0] + 7200 for second in seconds)
        # Five standard deviations of a Poisson count, and a little for the few in the night.
        assert abs(there - expected) < 5 * expected**0.5 + 3


def test_gaps_are_those_of_a_poisson_process() -> None:
    seconds = list(arrivals(random.Random(5), rate=60, minutes=60))
    gaps = [after - before for before, after in itertools.pairwise(seconds)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert 0.9 < spread / mean < 1.1  # as wide as they are long: neither a metronome nor clumps


def test_every_order_that_is_begun_ends(evening: list[Planned]) -> None:
    started = [order for order in evening if order.starts_at < 240 * 60]
    assert all(order.steps[-1].status in (PICKED_UP, CANCELLED) for order in started)
    assert all(order.steps[-1].plu is None for order in started)
    for order in evening:
        moments = [order.at, *(step.at for step in order.steps)]
        assert moments == sorted(moments)


def test_orders_for_later_wait(evening: list[Planned]) -> None:
    later = [order for order in evening if order.later]
    assert 0.04 * len(evening) < len(later) < 0.13 * len(evening)
    assert all(
        step.at >= order.due - RELEASE for order in later for step in order.steps if step.at > order.at
    )
    assert any(not order.steps for order in later)  # those for after the end stay open


def test_some_are_late_and_most_are_not(evening: list[Planned]) -> None:
    ready = [
        (max(step.at for step in order.steps if step.status == READY), order.due)
        for order in evening
        if order.steps and order.steps[-1].status == PICKED_UP
    ]
    late = sum(at > due for at, due in ready) / len(ready)
    assert 0.01 < late < 0.4


def test_a_plan_has_what_makes_a_rush_hard(evening: list[Planned]) -> None:
    bodies = [order.body for order in evening]
    items = [item for body in bodies for item in body["items"]]
    steps = [step for order in evening for step in order.steps]
    assert {body["brandId"] for body in bodies} == {brand.id for brand in BRANDS}
    assert any("note" in body for body in bodies) and any("note" in item for item in items)
    assert any(item.get("allergens") for item in items) and any(item.get("modifiers") for item in items)
    assert any(step.status is None for step in steps)
    assert {step.reason for step in steps} >= {"sold out", "customer cancelled", "wrong ticket"}
    notes = "".join(body.get("note", "") for body in bodies) + "".join(item.get("note", "") for item in items)
    assert not notes.isascii()


def test_products_are_once_in_an_order_and_known_to_a_station() -> None:
    dishes = [dish for brand in BRANDS for dish in (*brand.dishes, *brand.extras)]
    for dish in dishes:
        makers = [station.slug for station in STATIONS if dish.plu.startswith(station.prefixes)]
        assert len(makers) == (1 if dish.minutes else 0)
    for brand in BRANDS:
        plus = [dish.plu for dish in (*brand.dishes, *brand.extras)]
        assert len(plus) == len(set(plus))
