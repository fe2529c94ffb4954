"""The history of an order as people read it: one step for each change, oldest first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from orders.admin.formatting import format_time, span, status_badge, who
from orders.models import Amendment, Kitchen, Order, OrderItem, StatusChange
from orders.statuses import CANCELLED, ItemStatus, Kind, OrderStatus


@dataclass
class Move:
    """A move of the order, or of several items, in one step. `subjects` is empty for the order."""

    before: str
    after: SafeString
    subjects: list[str] = field(default_factory=list)


@dataclass
class Amended:
    """One amended value. `subject` is empty for the order."""

    subject: str
    what: str
    before: str
    after: str


@dataclass
class Imported:
    """A status that a channel reported, with a time of its own."""

    status: SafeString
    at: str


@dataclass
class Step:
    change: int
    title: str
    icon: str
    at: str
    later: str
    actor: str
    actor_icon: str
    reason: str
    moves: list[Move]
    imported: list[Imported]
    is_recall: bool
    # The change that took this one back.
    taken_back_by: int | None
    amended: list[Amended] = field(default_factory=list)


def timeline(
    order: Order,
    items: Sequence[OrderItem],
    history: Sequence[StatusChange],
    amendments: Sequence[Amendment] = (),
    *,
    notes: bool = True,
) -> list[Step]:
    """`history` by sequence, which keeps the entries of a change together. Amendments are between the changes; without
    `notes` they say that a note was amended, but not its text."""
    names = {item.plu: item.name for item in items}
    counted = {item.plu: str(item) for item in items}
    taken_back = {row.recalls: row.change for row in history if row.recalls is not None}
    steps: list[Step] = []
    previous: datetime | None = None
    entries: list[tuple[int, list[StatusChange] | Amendment]] = [
        *((change, list(rows)) for change, rows in groupby(history, key=lambda row: row.change)),
        *((amendment.version, amendment) for amendment in amendments),
    ]
    for change, rows in sorted(entries, key=lambda entry: entry[0]):
        if isinstance(rows, Amendment):
            steps.append(_amendment(order, rows, names, previous, notes=notes))
            previous = rows.at
            continue
        own = [row for row in rows if row.kind != Kind.IMPORT] or rows
        at = own[-1].recorded_at if own[-1].kind == Kind.IMPORT else own[0].at
        icon, actor = who(rows[0].actor)
        steps.append(
            Step(
                change=change,
                title=_title(own),
                icon=_icon(own[0]),
                at=format_time(at, order.kitchen, seconds=True),
                later=_later(at, previous),
                actor=actor,
                actor_icon=icon,
                reason=rows[0].reason,
                moves=_moves(own, counted),
                imported=[_imported(row, order.kitchen) for row in rows if row.kind == Kind.IMPORT],
                is_recall=own[0].kind == Kind.RECALL,
                taken_back_by=taken_back.get(change),
            )
        )
        previous = at
    return steps


def _amendment(
    order: Order, amendment: Amendment, names: dict[str, str], previous: datetime | None, *, notes: bool
) -> Step:
    icon, actor = who(amendment.actor)
    changed = amendment.changes
    of_items = all(change["plu"] is not None for change in changed)
    return Step(
        change=amendment.version,
        title=_("Item amended") if of_items else _("Order amended"),
        icon="edit",
        at=format_time(amendment.at, order.kitchen, seconds=True),
        later=_later(amendment.at, previous),
        actor=actor,
        actor_icon=icon,
        reason=amendment.reason,
        moves=[],
        imported=[],
        is_recall=False,
        taken_back_by=None,
        amended=[_amended(order, change, names, notes=notes) for change in changed],
    )


def _amended(order: Order, change: dict[str, Any], names: dict[str, str], *, notes: bool) -> Amended:
    words = {
        "note": _("Note"),
        "quantity": _("Quantity"),
        "pickup_time": _("Pickup time"),
        "due_at": _("Due"),
    }

    def shown(value: Any) -> str:
        if change["field"] in ("pickup_time", "due_at"):
            return format_time(datetime.fromisoformat(value), order.kitchen)
        if change["field"] == "note" and value and not notes:
            return "…"
        return str(value)

    plu = change["plu"]
    return Amended(
        "" if plu is None else names.get(plu, plu),
        words.get(change["field"], change["field"]),
        shown(change["before"]),
        shown(change["after"]),
    )


def _later(at: datetime, previous: datetime | None) -> str:
    passed = timedelta() if previous is None else at - previous
    return _("%s later") % span(passed) if passed >= timedelta(seconds=1) else ""


def _title(rows: Sequence[StatusChange]) -> str:
    first = rows[0]
    if first.kind == Kind.RECALL:
        return _("Change %d taken back") % (first.recalls or 0)
    if first.change == 1:
        return _("Order came in")
    if first.to_status == CANCELLED:
        return _("Order cancelled") if first.plu is None else _("Item cancelled")
    return _("Order moved on") if first.plu is None else _("Item moved on")


def _icon(row: StatusChange) -> str:
    if row.kind == Kind.RECALL:
        return "undo"
    if row.change == 1:
        return "add"
    return "close" if row.to_status == CANCELLED else "arrow_forward"


def _moves(rows: Sequence[StatusChange], names: dict[str, str]) -> list[Move]:
    """The order's own move, and the items that made the same move together; first what began the change."""
    own = [
        Move(_order_word(row.from_status), _order_badge(row))
        for row in rows
        if row.plu is None and row.kind != Kind.IMPORT
    ]
    together: defaultdict[tuple[int | None, int], list[str]] = defaultdict(list)
    for row in rows:
        if row.plu is not None:
            together[row.from_status, row.to_status].append(names.get(row.plu, row.plu))
    of_items = [
        Move(
            "" if before is None else str(ItemStatus(before).label),
            status_badge(after, ItemStatus(after).label),
            subjects,
        )
        for (before, after), subjects in together.items()
    ]
    return own + of_items if rows[0].plu is None else of_items + own


def _imported(row: StatusChange, kitchen: Kitchen) -> Imported:
    return Imported(_order_badge(row), format_time(row.at, kitchen, seconds=True))


def _order_word(status: int | None) -> str:
    return "" if status is None else str(OrderStatus(status).label)


def _order_badge(row: StatusChange) -> SafeString:
    return status_badge(row.to_status, OrderStatus(row.to_status).label)
