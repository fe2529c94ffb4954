"""The rules of the wall: which orders are on it, and which of their changes somebody still has to see."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from orders.models import Kitchen
from orders.statuses import CANCELLED, RECEIVED


def release_time(due_at: datetime, kitchen: Kitchen) -> datetime:
    """When an order for later leaves the rail by itself."""
    return due_at - timedelta(minutes=kitchen.release_minutes)


def is_on_wall(
    kitchen: Kitchen,
    now: datetime,
    *,
    due_at: datetime,
    status: int,
    item_statuses: Iterable[int] = (),
    changes: Collection[Any] | QuerySet[Any] = (),
) -> bool:
    """Whether an order is on the wall; otherwise it waits in the rail.

    It is there once it is released, or somebody has begun it. `changes`: its standing changes. An order that was
    amended to be due much later stays until somebody has seen that. A query is made only if nothing else decides.
    """
    is_begun = status != RECEIVED or any(item not in (RECEIVED, CANCELLED) for item in item_statuses)
    return is_begun or release_time(due_at, kitchen) <= now or bool(changes)


def standing_changes(before: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """What was amended and nobody has seen yet: field → value before.

    `before`: the values when somebody last knew them. A value that is again as it was needs nobody's attention.
    """
    return {field: value for field, value in before.items() if field in current and value != current[field]}
