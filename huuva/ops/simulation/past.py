"""Simulates days of the past: a kitchen's orders and their histories.

They follow weekday and hour in the kitchen's own time zone, and have what managers should find in the figures: slow
days, cooks that bump nothing for half an hour and then everything at once, orders that nobody bumped, returning
customers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from huuva.ops.simulation.arrivals import busyness
from huuva.ops.simulation.rush import Cooks, Planned, Step, plan_order, plan_steps, station_of, work_of
from orders.bulk import SimulatedOrder
from orders.ids import new_order_id
from orders.models import Kitchen
from orders.new import NewItem, NewOrder
from orders.statuses import CANCELLED, PICKED_UP

# Monday to Sunday, 1 on average.
WEEKDAYS: Final = (0.78, 0.8, 0.88, 0.97, 1.27, 1.31, 0.99)
# Sales grow over time: from this share below the average to as much above it.
GROWTH: Final = 0.12
# Cooks for the peak of a usual day of that weekday: on busier days orders get late.
SPARE: Final = 1.12
SLOW_DAY: Final = 0.04  # of the days: an oven is broken, two cooks are ill
SLOW_PACE: Final = 1.35
MASS_BUMPS: Final = 0.22  # of the days
FORGOTTEN: Final = 0.008  # of the orders: picked up without a bump, corrected at the end of the day
ORDERS_PER_CUSTOMER: Final = 6


@dataclass(frozen=True, slots=True)
class Past:
    """`days` until `now`, the last one incomplete, with `per_day` orders on average."""

    kitchen: Kitchen
    days: int
    per_day: float
    seed: int
    now: datetime

    def orders_by_day(self) -> Iterator[list[SimulatedOrder]]:
        """The orders of each local day, oldest day first."""
        zone = self.kitchen.zone
        today = self.now.astimezone(zone).date()
        for back in range(self.days, -1, -1):
            day = today - timedelta(days=back)
            # Each day has its own seed, so that more days before don't change it.
            rng = random.Random(f"{self.seed} {self.kitchen.slug} {day}")  # noqa: S311  (it must be repeatable)
            start = datetime.combine(day, time(), zone)
            end = datetime.combine(day + timedelta(days=1), time(), zone)
            trend = 1 + GROWTH * (1 - 2 * back / max(1, self.days))
            yield self._day(rng, start.astimezone(UTC), end.astimezone(UTC), zone, trend)

    def _day(
        self, rng: random.Random, start: datetime, end: datetime, zone: ZoneInfo, trend: float
    ) -> list[SimulatedOrder]:
        weekday = start.astimezone(zone).weekday()
        minutes = range(int((end - start).total_seconds()) // 60)
        curve = [
            _busyness((start + timedelta(minutes=minute)).astimezone(zone), weekend=weekday > 4)
            for minute in minutes
        ]
        usual = self.per_day * WEEKDAYS[weekday] * trend
        count = max(0, round(rng.gauss(usual * rng.lognormvariate(0, 0.07), math.sqrt(usual))))
        times = sorted(60 * minute + 60 * rng.random() for minute in rng.choices(minutes, curve, k=count))
        customers = 50 + int(self.days * self.per_day / ORDERS_PER_CUSTOMER)
        orders = [plan_order(rng, number, at, customers) for number, at in enumerate(times, 1)]
        share_at_peak = max(curve) / sum(curve)
        hands = SPARE * share_at_peak * usual / max(1, count)
        slow = rng.random() < SLOW_DAY
        cooks = Cooks(work_of(orders), hands, SLOW_PACE if slow else 1)
        for order in sorted(orders, key=lambda order: order.starts_at):
            plan_steps(rng, order, cooks)
            if rng.random() < FORGOTTEN:
                _forget(order, (end - start).total_seconds())
        if rng.random() < MASS_BUMPS:
            begin = 3600 * rng.uniform(17, 20)
            _bump_at_once(orders, begin, begin + 60 * rng.uniform(15, 35))
        simulated = (self._simulate(order, start) for order in orders)
        return [order for order in simulated if order is not None]

    def _simulate(self, planned: Planned, start: datetime) -> SimulatedOrder | None:
        at = start + timedelta(seconds=planned.at)
        if at > self.now:
            return None
        due = (start + timedelta(seconds=planned.due)).replace(microsecond=0)
        channel = f"key:{planned.body['channel']}"
        order = SimulatedOrder(_new_order(planned.body, at, due), kitchen=self.kitchen, actor=channel, at=at)
        for step in planned.steps:
            at = start + timedelta(seconds=step.at)
            if at > self.now:
                break
            _apply(order, step, at, channel)
        return order


def _busyness(local: datetime, *, weekend: bool) -> float:
    hour = local.hour + local.minute / 60
    # At weekends people get up later, and order all afternoon.
    return 0.55 * busyness(hour) + 0.45 * busyness(hour - 1.5) if weekend else busyness(hour)


def _forget(order: Planned, end: float) -> None:
    """Nobody bumps it, until at closing time somebody sees that it was picked up long ago."""
    cancellation = [step for step in order.steps if step.status == CANCELLED and step.plu is None]
    order.steps = cancellation or [Step(max(end - 1800, order.due + 1200), PICKED_UP, None, "closing")]


def _bump_at_once(orders: list[Planned], begin: float, end: float) -> None:
    """Moves what was bumped from `begin` to `end` to `end`, one ticket after the other."""
    at = end
    for order in sorted(orders, key=lambda order: order.starts_at):
        # Somebody was at the wall for a recall or a cancellation by the kitchen.
        if any(step.status in (None, CANCELLED) for step in order.steps):
            continue
        for index, step in enumerate(order.steps):
            if begin <= step.at < end:
                at += 0.8
                order.steps[index] = Step(at, step.status, step.plu, step.reason)
            elif step.at < at and index and order.steps[index - 1].at > step.at:
                order.steps[index] = Step(order.steps[index - 1].at + 5, step.status, step.plu, step.reason)


def _apply(order: SimulatedOrder, step: Step, at: datetime, channel: str) -> None:
    if step.plu is None:
        by_channel = step.status == CANCELLED
        actor = channel if by_channel else "user:manager" if step.reason else "screen:expo"
        order.move(_status(step), at=at, actor=actor, reason=step.reason)
        return
    actor = f"screen:{station_of(step.plu) or 'expo'}"
    if step.status is None:
        order.recall(step.plu, at=at, actor=actor, reason=step.reason)
    else:
        order.move_items((step.plu,), step.status, at=at, actor=actor, reason=step.reason)


def _status(step: Step) -> int:
    if step.status is None:
        raise ValueError("No plan recalls a whole order.")
    return step.status


def _new_order(body: dict[str, Any], at: datetime, due: datetime) -> NewOrder:
    """The order that the API would create from that body."""
    items = [
        NewItem(
            item["plu"],
            {
                "name": item["name"],
                "quantity": item["quantity"],
                "note": item.get("note", ""),
                "modifiers": item.get("modifiers", []),
                "allergens": item.get("allergens", []),
                "price": item["price"],
            },
        )
        for item in body["items"]
    ]
    details = {
        "account": body["account"],
        "brand_id": body["brandId"],
        "channel": body["channel"],
        "channel_order_id": body["channelOrderId"],
        "channel_display_id": body["channelOrderDisplayId"],
        "customer_name": body["customer"]["name"],
        "customer_phone": body["customer"]["phoneNumber"],
        "note": body.get("note", ""),
    }
    return NewOrder(new_order_id(at), due, items, details)
