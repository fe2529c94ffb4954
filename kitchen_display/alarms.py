"""Alarms for what was cancelled or amended on the wall. They stand until somebody has seen them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection

from kitchen_display import hints
from kitchen_display.configuration import kitchen_config
from kitchen_display.models import Alarm, AmendmentAlarm, Screen
from kitchen_display.tickets import AMENDED
from kitchen_display.wall import is_on_wall, standing_changes
from orders import clock
from orders.models import Amendment, Change, Order
from orders.statuses import CANCELLED, Kind

# A wall that nobody has looked at since yesterday needs no old alarms.
KEEP: Final = timedelta(hours=24)


def raise_alarms(order: Order, change: Change) -> None:
    """For the order, else for each item, that `change` cancels; only where it was on a wall that somebody watches.

    For other changes it only looks at the rows.
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
    alarms = {
        alarm.plu: alarm for alarm in AmendmentAlarm.objects.filter(order_id=order.id).select_for_update()
    }
    standing = {plu: alarm.before for plu, alarm in alarms.items() if alarm.acknowledged_at is None}
    due_before = before[""].get("due_at")
    if not is_on_wall(
        order.kitchen,
        amendment.at,
        due_at=datetime.fromisoformat(due_before) if due_before else order.due_at,
        status=order.status,
        item_statuses=[item.status for item in order.loaded_items],
        changes=standing,
    ):
        return
    current = _values(order)
    raised = []
    for plu, values in before.items():
        if changes := standing_changes({**values, **standing.get(plu, {})}, current[plu]):
            raised.append(
                AmendmentAlarm(
                    order_id=order.id,
                    plu=plu,
                    kitchen_id=order.kitchen_id,
                    version=amendment.version,
                    before=changes,
                    raised_at=amendment.at,
                )
            )
        elif plu in standing:
            alarms[plu].delete()
    AmendmentAlarm.objects.bulk_create(
        raised,
        update_conflicts=True,
        unique_fields=["order_id", "plu"],
        update_fields=["version", "before", "raised_at", "acknowledged_at", "acknowledged_by"],
    )


def _values(order: Order) -> dict[str, dict[str, Any]]:
    """What is shown of an order ("") and its items now, in the form that alarms store."""
    own: dict[str, Any] = {"note": order.note, "due_at": order.due_at.astimezone(UTC).isoformat()}
    return {
        "": own,
        **{item.plu: {"note": item.note, "quantity": item.quantity} for item in order.loaded_items},
    }


def _is_watched(kitchen: str) -> bool:
    return Screen.objects.watching().filter(kitchen_id=kitchen).exists()


def _was_on_wall(order: Order, change: Change) -> bool:
    """Whether it was on the wall before `change`; not what came cancelled."""
    if change.rows[0].from_status is None:
        return False
    before = {row.plu: row.from_status for row in change.rows}
    return is_on_wall(
        order.kitchen,
        change.at,
        due_at=order.due_at,
        status=before.get(None, order.status) or order.status,
        item_statuses=[before.get(item.plu, item.status) or item.status for item in order.loaded_items],
        changes=AmendmentAlarm.objects.standing().filter(order_id=order.id),
    )


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
    standing = Alarm.objects.standing().filter(order_id=order_id, kitchen_id=screen.kitchen_id)
    if plu is not None:
        standing = standing.filter(plu=plu)
    return standing.update(acknowledged_at=clock.now(), acknowledged_by=screen.actor)


def _acknowledge_amended(screen: Screen, order_id: str, plu: str | None, version: int | None) -> int:
    """Of a station's screen: what it shows, its own items and the order as a whole."""
    standing = AmendmentAlarm.objects.standing().filter(order_id=order_id, kitchen_id=screen.kitchen_id)
    if plu is not None:
        standing = standing.filter(plu=plu)
    if version is not None:
        standing = standing.filter(version__lte=version)
    if not screen.is_expo:
        config = kitchen_config(screen.kitchen_id)
        standing = standing.filter(
            plu__in=[
                plu
                for plu in standing.values_list("plu", flat=True)
                if not plu or config.makes(screen.station_id, plu)
            ]
        )
    return standing.update(acknowledged_at=clock.now(), acknowledged_by=screen.actor)


def redact_notes(order_ids: Sequence[str]) -> None:
    """Remove notes from the values that alarms store. Alarms with no other value are deleted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kitchen_display_amendmentalarm SET before = before - 'note' "
            "WHERE order_id = ANY(%s) AND before ? 'note'",
            [list(order_ids)],
        )
    AmendmentAlarm.objects.filter(order_id__in=order_ids, before={}).delete()


def purge_alarms() -> int:
    """Remove what is older than KEEP, acknowledged or not."""
    old = clock.now() - KEEP
    return sum(kind.objects.filter(raised_at__lt=old).delete()[0] for kind in (Alarm, AmendmentAlarm))
