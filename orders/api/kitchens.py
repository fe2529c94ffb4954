"""Which kitchen a new order goes to."""

import threading
import time

from core.bodies import invalid_body
from core.problems import Problem
from orders.models import Kitchen

# An order needs its kitchen's target and currency, which change once a year: each process asks again after this.
KEEP_SECONDS = 3.0


class _Kitchens:
    """All kitchens by slug, kept for KEEP_SECONDS. Every process has its own copy of what PostgreSQL says."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, Kitchen] = {}
        self._until = 0.0

    def all(self) -> dict[str, Kitchen]:
        now = time.monotonic()
        if now >= self._until:
            with self._lock:
                if now >= self._until:
                    self._kept = {kitchen.slug: kitchen for kitchen in Kitchen.objects.all()}
                    self._until = now + KEEP_SECONDS
        return self._kept

    def forget(self) -> None:
        self._until = 0.0


kitchens = _Kitchens()


def kitchen_for(named: str | None, bound: str | None) -> Kitchen:
    """The kitchen that the body names, else the key's, else the only one. Raises Problem 400 or 403."""
    if bound is not None and named not in (None, bound):
        raise Problem(
            "kitchen_forbidden",
            f"This key is for the kitchen {bound}; leave the field kitchen out or send that one.",
            status=403,
            errors=[
                {
                    "pointer": "/kitchen",
                    "code": "kitchen_forbidden",
                    "detail": f"Send {bound}, or leave it out.",
                }
            ],
        )
    slug = named or bound
    known = kitchens.all()
    if slug is None and len(known) == 1:
        return next(iter(known.values()))
    if slug in known:
        return known[slug]
    if slug is not None:
        # A kitchen made a moment ago need not wait for the copy to age.
        found = Kitchen.objects.filter(slug=slug).first()
        if found is not None:
            kitchens.forget()
            return found
    text = (
        f"There is no kitchen {slug}; send the slug of one."
        if slug
        else "Name the kitchen; this key is for all."
    )
    raise invalid_body(
        [{"pointer": "/kitchen", "code": "unknown_kitchen" if slug else "required", "detail": text}]
    )
