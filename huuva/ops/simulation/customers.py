"""The order of a simulated customer, as a channel would send it."""

from __future__ import annotations

import random
from typing import Any

from huuva.ops.simulation.menu import (
    BRANDS,
    CHANNELS,
    FIRST_NAMES,
    ITEM_NOTES,
    LAST_NAMES,
    ORDER_NOTES,
    Brand,
    Dish,
)

CUSTOMERS = 400
# Prefix of the accounts of simulated customers.
ACCOUNT = "customer-"


def ordered_dishes(rng: random.Random) -> tuple[Brand, list[Dish]]:
    """Dishes of one brand, each once; now and then for a whole office."""
    brand = rng.choices(BRANDS, [brand.share for brand in BRANDS])[0]
    mains = rng.choices((1, 2, 3, len(brand.dishes)), (50, 32, 14, 4))[0]
    extras = rng.choices((0, 1, 2, len(brand.extras)), (40, 35, 20, 5))[0]
    return brand, [
        *rng.sample(brand.dishes, min(mains, len(brand.dishes))),
        *rng.sample(brand.extras, extras),
    ]


def order_body(
    rng: random.Random, number: int, brand: Brand, dishes: list[Dish], customers: int = CUSTOMERS
) -> dict[str, Any]:
    """The body of POST /api/orders without what is known only when it is sent: id, kitchen, pickup time."""
    customer = int(customers * rng.random() ** 2)  # some order again and again
    who = random.Random(customer)  # noqa: S311  (the same customer has the same name)
    channel, display = rng.choice(CHANNELS)
    # Numbers for couriers are short, so they repeat.
    short = 100 + (number * 37 + 11) % 900
    body: dict[str, Any] = {
        "account": f"{ACCOUNT}{customer:04}",
        "brandId": brand.id,
        "channel": channel,
        "channelOrderId": f"{channel.upper()}-{rng.randrange(10**9):09}",
        "channelOrderDisplayId": display.format(short),
        "customer": {
            "name": f"{who.choice(FIRST_NAMES)} {who.choice(LAST_NAMES)}",
            "phoneNumber": f"+358400000{customer:03}" if channel != "ubereats" else "",
        },
        "items": [],
    }
    if rng.random() < 0.2:
        body["note"] = rng.choice(ORDER_NOTES)
    # Only for customers with an allergy: if it were on every ticket, nobody would read it.
    allergic = rng.random() < 0.1
    for dish in dishes:
        body["items"].append(_item(rng, dish, allergic))
    return body


def _item(rng: random.Random, dish: Dish, allergic: bool) -> dict[str, Any]:
    quantity = rng.choices((1, 2, 3, 6), (78, 16, 4, 2))[0]
    item: dict[str, Any] = {"plu": dish.plu, "name": dish.name, "quantity": quantity, "price": dish.price}
    if dish.modifiers and rng.random() < 0.35:
        chosen = rng.sample(dish.modifiers, min(rng.choice((1, 1, 2)), len(dish.modifiers)))
        item["modifiers"] = [{"name": name, "quantity": 1} for name in chosen]
    if rng.random() < 0.12:
        item["note"] = rng.choice(ITEM_NOTES)
    if allergic and dish.allergens:
        item["allergens"] = [*rng.sample(dish.allergens, 1)]
    return item
