"""Alarms for what was cancelled or amended on the wall: raised with that, standing until somebody has seen it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection

from kitchen_display import hints
from kitchen_display.configuration import configuration
from kitchen_display.models import Alarm, AmendmentAlarm, Screen
from kitchen_display.tickets import AMENDED
from orders import clock
from orders.models import Amendment, Change, Order
from orders.statuses import CANCELLED, FIRST, Kind

# A wall that nobody has looked at since yesterday needs no old alarms.
KEPT: Final = timedelta(hours=24)


def raise_alarms(order: Order, change: Change) -> None:
    """For the order, else for each item, that `change` cancels; only where it was on a wall that somebody watches.

    Costs nothing but a look at the rows for all other changes.
    """
    cancelled = [
        row.plu or ""
        for row in change.rows
        if row.to_status == CANCELLED and row.from_status and row.kind == Kind.TRANSITION
    ]
    if not cancelled or not _was_on_wall(order, change) or not _is_watched(order.kitchen_id):
        return
    Alarm.objects.bulk_create(
        [
            Alarm(order_id=order.id, plu=plu, kitchen_id=order.kitchen_id, raised_at=change.at)
            for plu in ([""] if "" in cancelled else cancelled)
        ],
        ignore_conflicts=True,
    )


def raise_amended(order: Order, amendment: Amendment) -> None:
    """For what `amendment` changed on a wall that somebody watches, the order or each item (ADR 16).

    What was amended before and not acknowledged keeps its first "before"; what is as it was then needs no alarm.
    """
    before: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for change in amendment.changes:
        if change["field"] in AMENDED:
            before[change["plu"] or ""][change["field"]] = change["before"]
    if not before or not _is_watched(order.kitchen_id):
        return
    # The order's lock keeps other amendments out, these locks the acknowledgements.
    known = {
        alarm.plu: alarm for alarm in AmendmentAlarm.objects.filter(order_id=order.id).select_for_update()
    }
    standing = {plu: alarm.before for plu, alarm in known.items() if alarm.acknowledged_at is None}
    due_before = before[""].get("due_at")
    due = datetime.fromisoformat(due_before) if due_before else order.due_at
    statuses = (order.status, *(item.status for item in order.loaded_items))
    if not standing and not _on_wall(order, due, statuses, amendment.at):
        return
    now = _values(order)
    raised = []
    for plu, values in before.items():
        left = {
            field: value
            for field, value in {**values, **standing.get(plu, {})}.items()
            if value != now[plu][field]
        }
        if left:
            raised.append(
                AmendmentAlarm(
                    order_id=order.id,
                    plu=plu,
                    kitchen_id=order.kitchen_id,
                    version=amendment.version,
                    before=left,
                    raised_at=amendment.at,
                )
            )
        elif plu in standing:
            known[plu].delete()
    AmendmentAlarm.objects.bulk_create(
        raised,
        update_conflicts=True,
        unique_fields=["order_id", "plu"],
        update_fields=["version", "before", "raised_at", "acknowledged_at", "acknowledged_by"],
    )


def _values(order: Order) -> dict[str, dict[str, Any]]:
    """What is shown of an order ("") and its items now, as alarms keep it."""
    own: dict[str, Any] = {"note": order.note, "due_at": _text(order.due_at)}
    return {
        "": own,
        **{item.plu: {"note": item.note, "quantity": item.quantity} for item in order.loaded_items},
    }


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _is_watched(kitchen: str) -> bool:
    return Screen.objects.watching().filter(kitchen_id=kitchen).exists()


def _was_on_wall(order: Order, change: Change) -> bool:
    """Whether it was on the wall before `change`; not what came cancelled."""
    if change.rows[0].from_status is None:
        return False
    before = {row.plu: row.from_status for row in change.rows}
    statuses = [
        before.get(None, order.status),
        *(before.get(item.plu, item.status) for item in order.loaded_items),
    ]
    standing = AmendmentAlarm.objects.filter(order_id=order.id, acknowledged_at=None)
    # What was amended to be due much later stays there until somebody has seen that.
    return _on_wall(order, order.due_at, statuses, change.at) or standing.exists()


def _on_wall(order: Order, due: datetime, statuses: Iterable[int | None], at: datetime) -> bool:
    """Whether an order of these statuses, its own and those of its items, was on the wall: not what still waited in the
    rail, where nobody has read or begun it yet."""
    begun = any(status not in (FIRST, CANCELLED) for status in statuses)
    return begun or due - timedelta(minutes=order.kitchen.release_minutes) <= at


def acknowledge(
    screen: Screen,
    order_id: str,
    plu: str | None = None,
    *,
    version: int | None = None,
    amendments_only: bool = False,
) -> int:
    """Somebody at `screen` has seen the alarms of an order, or of one item. Returns how many that ended.

    `version` is the order's as the page showed it: what was amended since, nobody has seen.
    """
    ended = 0 if amendments_only else _acknowledge_cancelled(screen, order_id, plu)
    ended += _acknowledge_amended(screen, order_id, plu, version)
    if ended:
        hints.publish_on_commit(screen.kitchen_id)
    return ended


def _acknowledge_cancelled(screen: Screen, order_id: str, plu: str | None) -> int:
    standing = Alarm.objects.filter(
        order_id=order_id, kitchen_id=screen.kitchen_id, acknowledged_at__isnull=True
    )
    if plu is not None:
        standing = standing.filter(plu=plu)
    return standing.update(acknowledged_at=clock.now(), acknowledged_by=screen.actor)


def _acknowledge_amended(screen: Screen, order_id: str, plu: str | None, version: int | None) -> int:
    """Of a station's screen: what it shows, its own items and the order as a whole."""
    standing = AmendmentAlarm.objects.filter(
        order_id=order_id, kitchen_id=screen.kitchen_id, acknowledged_at__isnull=True
    )
    if plu is not None:
        standing = standing.filter(plu=plu)
    if version is not None:
        standing = standing.filter(version__lte=version)
    if not screen.is_expo:
        found = configuration(screen.kitchen_id)
        standing = standing.filter(
            plu__in=[
                plu
                for plu in standing.values_list("plu", flat=True)
                if not plu or found.concerns(screen.station_id, plu)
            ]
        )
    return standing.update(acknowledged_at=clock.now(), acknowledged_by=screen.actor)


def forget_notes(order_ids: Sequence[str]) -> None:
    """Take notes out of what alarms say was before; those that say nothing else end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kitchen_display_amendmentalarm SET before = before - 'note' "
            "WHERE order_id = ANY(%s) AND before ? 'note'",
            [list(order_ids)],
        )
    AmendmentAlarm.objects.filter(order_id__in=order_ids, before={}).delete()


def purge_alarms() -> int:
    """Remove what is older than KEPT, acknowledged or not."""
    old = clock.now() - KEPT
    return sum(kind.objects.filter(raised_at__lt=old).delete()[0] for kind in (Alarm, AmendmentAlarm))
