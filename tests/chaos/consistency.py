"""Whether the data is consistent in the end: each check says how much it looked at, and what is wrong."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection

from analytics.refresh import refresh
from analytics.tests.consistency import assert_equal_to_plain_sql
from orders.consistency import differences
from orders.statuses import KIND_NAMES
from tests.chaos.boards import board, pickup_board
from tests.chaos.client import Client
from tests.chaos.ledger import Entry, Ledger, Meaning
from tests.chaos.stored import MOST_COMPLAINTS_EACH, Check, Stored
from tests.chaos.watchers import Follower, Wall
from tests.model.kitchen_model import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED, TERMINAL, Row, lift
from tests.model.side_by_side import check_consistency

if TYPE_CHECKING:
    from tests.chaos.webhooks import Listener

REPLAYS = 40
# A line in web's log that tells of a fault of ours.
UNFORESEEN = re.compile(r'"unforeseen_error"|"status_differs_from_history"|Traceback')


def check_all(
    ledger: Ledger,
    wall: Wall,
    pickup: Wall,
    follower: Follower,
    client: Client,
    log: Path,
    listener: Listener,
) -> list[Check]:
    """All that must hold when nothing writes any more."""
    connection.close()  # it was made before the servers were killed
    stored = _stored()
    by_mark: dict[str, list[Stored]] = {}
    for mark, order in stored:
        by_mark.setdefault(mark, []).append(order)
    orders = [order for _, order in stored]
    looks: list[Callable[[], Check]] = [
        lambda: _acknowledged(ledger, by_mark),
        lambda: _as_the_model_says(ledger, by_mark),
        lambda: _moves(ledger, by_mark),
        lambda: _amendments(ledger, by_mark),
        lambda: _histories(orders),
        lambda: _differences(orders),
        lambda: _orders_and_items(orders),
        lambda: _replays(ledger, client),
        lambda: _feed(orders, follower),
        lambda: listener.check(orders),
        lambda: _rollups(orders),
        lambda: board(orders, wall),
        lambda: pickup_board(orders, pickup),
        lambda: _log(log),
    ]
    checks = []
    for look in looks:
        try:
            checks.append(look())
        except Exception:  # noqa: BLE001  (the others are still worth reading)
            checks.append(Check("a check that broke", wrong=[traceback.format_exc()]))
    return checks


def _stored() -> list[tuple[str, Stored]]:
    orders: dict[str, tuple[str, Stored]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, channel_order_id, channel_display_id, status, version, note FROM orders_order"
        )
        for id_, mark, display, status, version, note in cursor.fetchall():
            orders[id_] = (mark, Stored(id_, status, version, display=display or mark[-4:], note=note))
        cursor.execute("SELECT order_id, version, reason FROM orders_amendment")
        for id_, version, reason in cursor.fetchall():
            orders[id_][1].amendments[version] = reason
        cursor.execute(
            "SELECT order_id, plu, status, quantity FROM orders_orderitem ORDER BY order_id, position"
        )
        for id_, plu, status, quantity in cursor.fetchall():
            orders[id_][1].items[plu] = status
            orders[id_][1].quantities[plu] = quantity
        cursor.execute(
            "SELECT order_id, sequence, change, plu, from_status, to_status, kind, at, reason "
            "FROM orders_statuschange ORDER BY order_id, sequence"
        )
        for id_, sequence, change, plu, before, after, kind, at, reason in cursor.fetchall():
            order = orders[id_][1]
            order.rows.append(Row(sequence, change, plu, before, after, KIND_NAMES[kind], at))
            order.changes_by_reason.setdefault(reason, set()).add(change)
    return list(orders.values())


def _acknowledged(ledger: Ledger, by_mark: dict[str, list[Stored]]) -> Check:
    check = Check("acknowledged orders, each there once and whole; no other orders")
    for entry in ledger.entries:
        stored = by_mark.get(entry.mark, [])
        if entry.model is None:
            # It may be there, but never twice.
            if len(stored) > 1:
                check.expect(False, f"{entry.mark} was not acknowledged, and is there {len(stored)} times")
            continue
        sent = entry.quantities
        orders_and_quantities = [(order.id, order.quantities) for order in stored]
        fine = orders_and_quantities == [(entry.id, sent)] or bool(entry.in_doubt)
        check.expect(fine, f"{entry.mark} is {orders_and_quantities}, expected {entry.id} with {sent}")
    for mark in by_mark.keys() - {entry.mark for entry in ledger.entries}:
        check.expect(False, f"{mark} is there, and nobody ordered it")
    return check


def _as_the_model_says(ledger: Ledger, by_mark: dict[str, list[Stored]]) -> Check:
    check = Check("orders of one client: status, items and every history row as the model says")
    for entry in ledger.entries:
        if entry.model is None or entry.contested or entry.in_doubt:
            continue
        for order in by_mark.get(entry.mark, []):
            model = entry.model
            check.expect(
                (order.status, order.items, order.version) == (model.status, model.items, model.version)
                and list(map(_without_time, order.rows)) == list(map(_without_time, model.history)),
                f"{entry.mark} differs: {order} instead of {model.status} {model.items} {model.history}",
            )
    return check


def _without_time(row: Row) -> tuple[Any, ...]:
    return row.sequence, row.change, row.plu, row.before, row.after, row.kind


def _moves(ledger: Ledger, by_mark: dict[str, list[Stored]]) -> Check:
    check = Check("acknowledged moves, each in the history once; refused ones not at all")
    for entry in ledger.entries:
        for order in by_mark.get(entry.mark, []):
            changes = order.changes_by_reason
            for reason in entry.changed:
                number = len(changes.get(reason, ()))
                check.expect(number == 1, f"{reason} changed something, and is {number} changes")
            for reason in entry.unchanged:
                check.expect(reason not in changes, f"{reason} changed nothing, and is in the history")
    return check


def _amendments(ledger: Ledger, by_mark: dict[str, list[Stored]]) -> Check:
    check = Check("acknowledged amendments, each stored once and the latest of each standing; no others")
    for entry in ledger.entries:
        for order in by_mark.get(entry.mark, []):
            stored = Counter(order.amendments.values())
            for reason in entry.amended:
                check.expect(stored[reason] == 1, f"{reason} is {stored[reason]} amendments")
            others = stored.keys() - entry.amended - {entry.in_doubt}
            check.expect(not others, f"{sorted(others)} were refused or never asked for, and are there")
            if entry.model is not None and not entry.in_doubt:
                check.expect(order.note == entry.note, f"{entry.mark}: not the note that it was given last")
    check.counted = sum(len(entry.amended) for entry in ledger.entries)
    return check


def _histories(orders: list[Stored]) -> Check:
    check = Check("histories without gaps, each row following from the one before")
    for order in orders:
        try:
            check_consistency(order.status, order.items, order.version, order.rows, set(order.amendments))
        except (AssertionError, IndexError) as error:
            check.expect(False, f"{order.id}: {error!r}"[:500])
        else:
            check.expect(True, "")
    return check


def _differences(orders: list[Stored]) -> Check:
    check = Check("orders, open and ended, whose status is that of the last history row", len(orders))
    check.wrong = [str(difference) for difference in differences(MOST_COMPLAINTS_EACH, ended=True)]
    return check


def _orders_and_items(orders: list[Stored]) -> Check:
    """An order takes its items along, and items lift their order."""
    check = Check("orders that agree with their items")
    for order in orders:
        items = list(order.items.values())
        live = [status for status in items if status != CANCELLED]
        fine = {
            RECEIVED: lift(items) == RECEIVED,
            PREPARING: lift(items) in (RECEIVED, PREPARING),
            READY: all(status >= READY for status in live),
            PICKED_UP: all(status == PICKED_UP for status in live),
            CANCELLED: all(status in TERMINAL for status in items),
        }[order.status]
        check.expect(fine, f"{order.id} is {order.status}, its items are {items}")
    return check


def _replays(ledger: Ledger, client: Client) -> Check:
    check = Check("acknowledged calls sent again with their Idempotency-Key: the first answer, nothing done")
    replayable: list[Entry] = [entry for entry in ledger.entries if entry.replay is not None]
    for entry in replayable[:: max(1, len(replayable) // REPLAYS)]:
        assert entry.replay is not None
        method, path, body, key, first = entry.replay
        verdict, _ = client.until_final(method, path, body, key)
        fine = verdict.meaning is Meaning.DONE and verdict.body == first
        check.expect(fine, f"{method} {path} now says {verdict.label} {verdict.body}"[:400])
    return check


def _feed(orders: list[Stored], follower: Follower) -> Check:
    rows = {(order.id, row.sequence) for order in orders for row in order.rows}
    follower.read_to_the_end(len(rows))
    check = Check("history rows that the feed told its follower, each once", len(follower.seen))
    twice = [row for row, number in Counter(follower.seen).items() if number > 1]
    missed = rows - set(follower.seen)
    if twice or missed or len(follower.seen) != len(rows):
        check.wrong.append(f"told twice: {twice[:5]}; never told: {sorted(missed)[:5]} ({len(missed)})")
    return check


def _rollups(orders: list[Stored]) -> Check:
    check = Check("orders in rollups that equal plain SQL after the next refresh", len(orders))
    check.expect(refresh().complete, "the refresh did not come to an end")
    try:
        assert_equal_to_plain_sql()
    except AssertionError as error:
        check.wrong.append(f"a rollup differs: {error!r}"[:500])
    return check


def _log(log: Path) -> Check:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    check = Check("lines in web's log, none of a fault that nobody foresaw", len(lines))
    check.wrong = [line[:600] for line in lines if UNFORESEEN.search(line)][:MOST_COMPLAINTS_EACH]
    return check
