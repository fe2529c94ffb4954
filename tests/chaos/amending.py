"""Amendments in the rush: another note of an order, another quantity of an item. They change no status, but each is a
version of its order, acknowledged once and for good like any other change."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.chaos.ledger import Entry
from tests.model.kitchen_model import TERMINAL, Refused

QUANTITIES = range(1, 6)


@dataclass(frozen=True, slots=True)
class Wish:
    """One amendment: `plu` is None for the order's note."""

    reason: str
    plu: str | None
    value: Any
    path: str

    @property
    def body(self) -> dict[str, Any]:
        return {"note" if self.plu is None else "quantity": self.value, "reason": self.reason}


def wish_for(entry: Entry, rng: random.Random) -> Wish:
    """Something else than what the order has: the same again would be no amendment."""
    assert entry.model is not None and entry.id is not None
    reason = f"{entry.mark}/a{len(entry.amended) + len(entry.not_amended) + 1}"
    path = f"/api/orders/{quote(entry.id, safe='')}"
    if rng.random() < 0.5:
        return Wish(reason, None, reason, path)
    plu = rng.choice(sorted(entry.quantities))
    quantity = rng.choice([number for number in QUANTITIES if number != entry.quantities[plu]])
    return Wish(reason, plu, quantity, f"{path}/items/{quote(plu, safe='')}")


def amend_model(entry: Entry, wish: Wish) -> str:
    """Takes the amendment in the model and the ledger; returns the code of its refusal, or nothing."""
    assert entry.model is not None
    try:
        if wish.plu is not None and entry.model.items[wish.plu] in TERMINAL:
            raise Refused("impossible_amendment")
        entry.model.amend()
    except Refused as refusal:
        entry.not_amended.add(wish.reason)
        return refusal.code
    entry.amended.add(wish.reason)
    if wish.plu is None:
        entry.note = wish.value
    else:
        entry.quantities[wish.plu] = wish.value
    return ""


def shows_amendment(entry: Entry, wish: Wish, document: Any) -> bool:
    """Whether the answer shows what was asked for."""
    if wish.plu is None:
        return bool(document["note"] == entry.note)
    return bool(document["quantity"] == entry.quantities[wish.plu])
