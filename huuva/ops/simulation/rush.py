"""The plan of a rush: every order and every move, with its time. The same seed gives the same plan."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from huuva.ops.simulation.arrivals import arrivals, mean_busyness
from huuva.ops.simulation.customers import CUSTOMERS, order_body, ordered_dishes
from huuva.ops.simulation.menu import CANCEL_REASONS, STATIONS, Dish
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY

LATER: Final = 0.08  # of all orders
CANCELLED_BY_CUSTOMER: Final = 0.04
SOLD_OUT: Final = 0.02
WRONG_BUMP: Final = 0.04
STARTED_FIRST: Final = 0.7  # of the items; the others are bumped once, when they are done
TICKET_BUMPED: Final = 0.4  # of the orders: the ticket instead of its last item
RELEASE: Final = 20 * 60  # seconds before they are due, orders for later are started
# Cooks, relative to the work at the peak: tickets queue then, and some get late.
SPARE: Final = 1.05


@dataclass(frozen=True, slots=True)
class Step:
    """One call, `at` seconds of the simulation. `plu` None: the order itself; `status` None: a recall."""

    at: float
    status: int | None
    plu: str | None = None
    reason: str = ""


@dataclass(slots=True)
class Planned:
    """An order created `at`, due at `due` (both in seconds), and its steps, by time."""

    number: int
    at: float
    due: float
    later: bool
    dishes: list[Dish]
    body: dict[str, Any]
    steps: list[Step] = field(default_factory=list)

    @property
    def starts_at(self) -> float:
        return max(self.at, self.due - RELEASE) if self.later else self.at


def plan_rush(seed: int, rate: float, minutes: float) -> list[Planned]:
    """`rate` orders a minute at the peak, over `minutes` of simulated time; the kitchen then finishes its orders.

    Orders for later that would be started after the end stay open.
    """
    rng = random.Random(seed)  # noqa: S311  (a plan must be repeatable)
    orders = [plan_order(rng, number, at) for number, at in enumerate(arrivals(rng, rate, minutes), 1)]
    cooked = [order for order in orders if order.starts_at < minutes * 60]
    cooks = Cooks(work_of(cooked), SPARE / (minutes * mean_busyness(minutes)))
    for order in sorted(cooked, key=lambda order: order.starts_at):
        plan_steps(rng, order, cooks)
    return orders


def end_of(plan: Sequence[Planned]) -> float:
    """The second of the last call."""
    return max((order.steps[-1].at if order.steps else order.at for order in plan), default=0)


def plan_order(rng: random.Random, number: int, at: float, customers: int = CUSTOMERS) -> Planned:
    later = rng.random() < LATER
    due = at + 60 * (rng.uniform(30, 100) if later else rng.uniform(12, 20))
    brand, dishes = ordered_dishes(rng)
    return Planned(number, at, due, later, dishes, order_body(rng, number, brand, dishes, customers))


def work_of(orders: Sequence[Planned]) -> dict[str, float]:
    """The minutes of work of these orders, by station."""
    work: dict[str, float] = {}
    for order in orders:
        for dish in order.dishes:
            station = station_of(dish.plu)
            work[station] = work.get(station, 0) + dish.minutes
    return work


class Cooks:
    """The cooks of each station, `hands` for each minute of work there; each makes the next item when free.

    `pace` 1.5: everything takes half as long again.
    """

    def __init__(self, work: Mapping[str, float], hands: float, pace: float = 1) -> None:
        self._free = {station: [0.0] * max(1, math.ceil(hands * total)) for station, total in work.items()}
        self._pace = pace

    def cook(self, dish: Dish, at: float, seconds: float) -> tuple[float, float]:
        """When it is started and done."""
        if not dish.minutes:
            return at, at + seconds
        seconds *= self._pace
        hands = self._free[station_of(dish.plu)]
        started = max(at, hands[0])
        heapq.heapreplace(hands, started + seconds)
        return started, started + seconds


@cache
def station_of(plu: str) -> str:
    """The slug of the station that makes it; empty for drinks, which are only handed over."""
    return next((one.slug for one in STATIONS if plu.startswith(one.prefixes)), "")


def plan_steps(rng: random.Random, order: Planned, cooks: Cooks) -> None:
    """Plan what the kitchen, the customer and the courier do with the order."""
    steps: list[Step] = []
    cancelled = order.starts_at + rng.uniform(30, 480) if rng.random() < CANCELLED_BY_CUSTOMER else math.inf
    sold_out = rng.randrange(len(order.dishes)) if rng.random() < SOLD_OUT and len(order.dishes) > 1 else -1
    done_at: dict[int, float] = {}
    for index, dish in enumerate(order.dishes):
        noticed = order.starts_at + rng.uniform(5, 40)
        if index == sold_out:
            steps.append(Step(noticed, CANCELLED, dish.plu, "sold out"))
            continue
        quantity = order.body["items"][index]["quantity"]
        seconds = (dish.minutes * 60 or 20) * (1 + 0.3 * (quantity - 1)) * rng.lognormvariate(0, 0.25)
        started, done = cooks.cook(dish, noticed, seconds)
        done_at[index] = done
        if dish.minutes and rng.random() < STARTED_FIRST:
            steps.append(Step(started, PREPARING, dish.plu))
            if rng.random() < WRONG_BUMP and seconds > 90:
                steps.append(Step(done - 40, READY, dish.plu))
                steps.append(Step(done - 25, None, dish.plu, "wrong ticket"))
    last = max(done_at, key=done_at.__getitem__)
    by_ticket = rng.random() < TICKET_BUMPED
    for index, done in done_at.items():
        if index == last and by_ticket:
            steps.append(Step(done, READY))
        else:
            steps.append(Step(done, READY, order.dishes[index].plu))
    ready = done_at[last]
    if cancelled < ready:
        steps = [step for step in steps if step.at < cancelled]
        steps.append(Step(cancelled, CANCELLED, None, rng.choice(CANCEL_REASONS)))
    else:
        # Couriers come at about the promised time, and wait if the order isn't ready.
        steps.append(Step(max(ready + rng.uniform(20, 60), order.due + rng.gauss(-60, 150)), PICKED_UP))
    order.steps = sorted(steps, key=lambda step: step.at)
