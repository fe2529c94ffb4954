"""Open orders of a busy evening: random, the same for each seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.browser import walls

DISHES = (
    "Miso soup",
    "Fries",
    "Sushi Set Large",
    "Hawaii Burger",
    "Poké Bowl with Salmon and Avocado",
    "Double Cheese Bacon Burger with Truffle Mayonnaise",
    "Vegaaninen kikhernekastikeannos",
    "Lemonade 0.4 l",
)
NOTES = (
    *walls.NOTES,
    "Ilman sipulia, kiitos. Kastike erikseen, ja ranskalaiset mahdollisimman rapeina – pakkaa ne omaan pussiinsa.",
    "Extra spicy, but no coriander.",
)
ALLERGENS = ("Nuts", "Milk", "Gluten", "Fish", "Soy", "Sesame")
MODIFIERS: tuple[dict[str, Any], ...] = (
    {"name": "No pickles", "quantity": 1},
    {"name": "Extra cheddar", "quantity": 2, "modifiers": [{"name": "Melted", "quantity": 1}]},
    {"name": "Menu", "quantity": 1, "modifiers": [{"name": "Sweet potato fries", "quantity": 1}]},
)
BRANDS = ("burger", "sushi", "bowl")


def item(chance: random.Random, position: int, *, noted: float = 0.25) -> dict[str, Any]:
    """An item; `noted` is the chance of a note of its own."""
    fields: dict[str, Any] = {
        "plu": f"P-{position}",
        "name": chance.choice(DISHES),
        "quantity": chance.choice((1, 1, 1, 2, 2, 3, 12)),
    }
    if chance.random() < noted:
        fields["note"] = chance.choice(NOTES)
    if chance.random() < 0.25:
        fields["allergens"] = sorted(chance.sample(ALLERGENS, chance.randint(1, 3)))
    if chance.random() < 0.4:
        fields["modifiers"] = list(chance.sample(MODIFIERS, chance.randint(1, 2)))
    return fields


def order(chance: random.Random, number: int, items: int, *, noted: float = 0.25) -> dict[str, Any]:
    """The fields of an order, for WallKitchen.order."""
    return {
        "display": f"#{100 + number}",
        "minutes": 1 + number * 0.4,
        "brandId": chance.choice(BRANDS),
        "note": chance.choice(NOTES) if chance.random() < 0.7 else "",
        "items": [item(chance, position, noted=noted) for position in range(items)],
    }


def uniform(chance: random.Random) -> list[dict[str, Any]]:
    """Forty orders of 1 to 12 items, each number as likely as the other."""
    return [order(chance, number, chance.randint(1, 12)) for number in range(40)]


def largest_first(chance: random.Random) -> list[dict[str, Any]]:
    """The twelve most urgent are the largest."""
    return [order(chance, number, 12 if number < 12 else chance.randint(1, 11)) for number in range(40)]


def all_noted(chance: random.Random) -> list[dict[str, Any]]:
    """1 to 12 items, and a long note on every one."""
    return [order(chance, number, chance.randint(1, 12), noted=1) for number in range(40)]


def monstrous(chance: random.Random) -> list[dict[str, Any]]:
    """Forty orders of 12 items with a note of 500 characters on each order and on every other item."""
    orders = []
    for number in range(40):
        large = order(chance, number, 12, noted=0)
        text = " ".join(chance.choices(NOTES, k=6))[:500]
        large["note"] = text
        for index, one in enumerate(large["items"]):
            if index % 2:
                one["note"] = text
        orders.append(large)
    return orders


MIXES: dict[str, Callable[[random.Random], list[dict[str, Any]]]] = {
    "uniform": uniform,
    "largest-first": largest_first,
    "all-noted": all_noted,
    "monstrous": monstrous,
}
