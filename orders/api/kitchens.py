"""Which kitchen a new order goes to."""

import threading
import time

from core.bodies import invalid_body
from core.problems import Problem
from orders.models import Kitchen

# An order needs its kitchen's target and currency, which hardly ever change. Each process reads them again after this.
KEEP_SECONDS = 3.0


class _Kitchens:
    """All kitchens by slug, cached in this process for KEEP_SECONDS."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kitchens: dict[str, Kitchen] = {}
        self._until = 0.0

    def all(self) -> dict[str, Kitchen]:
        now = time.monotonic()
        if now >= self._until:
            with self._lock:
                if now >= self._until:
                    self._kitchens = {kitchen.slug: kitchen for kitchen in Kitchen.objects.all()}
                    self._until = now + KEEP_SECONDS
        return self._kitchens

    def forget(self) -> None:
        self._until = 0.0


kitchens = _Kitchens()


def kitchen_for(named: str | None, bound: str | None) -> Kitchen:
    """The kitchen that the body names, else the key's (`bound`), else the only one. Raises Problem 400 or 403."""
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
    cached = kitchens.all()
    if slug is None and len(cached) == 1:
        return next(iter(cached.values()))
    if slug in cached:
        return cached[slug]
    if slug is not None:
        # A new kitchen may be missing from the cache.
        kitchen = Kitchen.objects.filter(slug=slug).first()
        if kitchen is not None:
            kitchens.forget()
            return kitchen
    text = (
        f"There is no kitchen {slug}; send the slug of one."
        if slug
        else "Name the kitchen; this key is for all."
    )
    raise invalid_body(
        [{"pointer": "/kitchen", "code": "unknown_kitchen" if slug else "required", "detail": text}]
    )
