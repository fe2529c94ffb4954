"""The statements that run with nearly every request, each built once from the models' fields (ADR 19).

The ORM builds its SQL anew for each query, which takes 0.2 to 0.3 ms of CPU: more than PostgreSQL needs to answer.
Tests hold each statement here equal to the ORM. Everything else uses the ORM.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
from django.db import connection, models
from django.db.models.signals import post_save

from orders.models import HistoryEntry, Kitchen, Order, OrderItem, StatusChange
from orders.models.orders import DirectStatusWrite

# --- Reads


class ItemRow(NamedTuple):
    """An item that is only read: the columns of OrderItem, at a tenth of the cost of an instance."""

    order_id: str
    plu: str
    position: int
    name: str
    quantity: int
    status: int
    note: str
    modifiers: list[Any]
    allergens: list[Any]
    price: int | None


def one_order(order_id: str, kitchen: str | None = None) -> Order:
    """One order, of that kitchen or of any. Raises Order.DoesNotExist."""
    sql = f"SELECT {_columns(Order)} FROM orders_order {_where(kitchen)}"  # noqa: S608 (our own columns)
    rows = _fetch(sql, _parameters(order_id, kitchen))
    if not rows:
        raise Order.DoesNotExist
    return _instance(Order, rows[0])


def locked_order(order_id: str, kitchen: str | None = None) -> Order:
    """One order with its kitchen, its row locked until the transaction ends. Raises Order.DoesNotExist.

    This lock comes before any other: items and history are only written while it is held.
    """
    rows = _fetch(
        f"SELECT {_columns(Order)}, {_columns(Kitchen)} FROM orders_order "  # noqa: S608
        f"JOIN orders_kitchen ON slug = kitchen_id {_where(kitchen)} FOR UPDATE OF orders_order",
        _parameters(order_id, kitchen),
    )
    if not rows:
        raise Order.DoesNotExist
    width = len(_fields(Order)[0])
    order = _instance(Order, rows[0][:width])
    order.kitchen = _instance(Kitchen, rows[0][width:])
    return order


def orders_by_id(ids: Sequence[str]) -> dict[str, Order]:
    """Those of these orders that exist."""
    sql = f"SELECT {_columns(Order)} FROM orders_order WHERE id = ANY(%s)"  # noqa: S608
    return {row[0]: _instance(Order, row) for row in _fetch(sql, [list(ids)])}


def newest_orders(
    kitchen: str | None, limit: int, beyond: tuple[datetime, str] | None = None, *, backwards: bool = False
) -> list[Order]:
    """A page of all orders, or of a kitchen's, newest first; `beyond` is the creation and id of the last one seen.
    `backwards`: oldest first, and newer than that."""
    sign, direction = (">", "") if backwards else ("<", " DESC")
    conditions, parameters = [], list[Any]()
    if kitchen is not None:
        conditions.append("kitchen_id = %s")
        parameters.append(kitchen)
    if beyond is not None:
        # The first condition is the one that an index can seek to; the second settles equal times.
        conditions.append(f"created_at {sign}= %s AND (created_at {sign} %s OR id {sign} %s)")
        parameters += [beyond[0], *beyond]
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    # The limit is part of the statement: a generic plan for any limit would be one for a tenth of the table.
    sql = f'SELECT {_columns(Order)} FROM "orders_order" {where}'  # noqa: S608 (our own columns)
    order = f"ORDER BY created_at{direction}, id{direction} LIMIT {limit:d}"
    return [_instance(Order, row) for row in _fetch(sql + order, parameters)]


def items_of(order_id: str) -> list[OrderItem]:
    """The items of an order, by position."""
    sql = f"SELECT {_columns(OrderItem)} FROM orders_orderitem WHERE order_id = %s ORDER BY position"  # noqa: S608
    return [_instance(OrderItem, row) for row in _fetch(sql, [order_id])]


def items_by_order(ids: Sequence[str]) -> defaultdict[str, list[ItemRow]]:
    """The items of each of these orders, by position."""
    items: defaultdict[str, list[ItemRow]] = defaultdict(list)
    for row in _fetch_of_orders(OrderItem, _columns(OrderItem), "position", ids):
        *values, modifiers, allergens, price = row
        # These three are the last columns of OrderItem. JSON columns come as text; nearly all are empty lists.
        items[row[0]].append(
            ItemRow._make(
                (
                    *values,
                    [] if modifiers == "[]" else orjson.loads(modifiers),
                    [] if allergens == "[]" else orjson.loads(allergens),
                    price,
                )
            )
        )
    return items


def history_by_order(ids: Sequence[str]) -> defaultdict[str, list[HistoryEntry]]:
    """The whole history of each of these orders, oldest first, without `recorded_at`.

    No caller needs it, and parsing it would add a third to the cost of the other columns.
    """
    history: defaultdict[str, list[HistoryEntry]] = defaultdict(list)
    for row in _fetch_of_orders(StatusChange, _history_columns(), "sequence", ids):
        history[row[0]].append(HistoryEntry(*row))
    return history


def _fetch_of_orders(
    model: type[models.Model], columns: str, order_by: str, ids: Sequence[str]
) -> list[tuple[Any, ...]]:
    # The plan for one order is kept. An array of one would be planned each time: a generic plan is made for arrays of
    # ten, and so looks expensive.
    one = len(ids) == 1
    sql = (
        f'SELECT {columns} FROM "{model._meta.db_table}" '  # noqa: S608 (our own columns)
        f"WHERE order_id {'= %s' if one else '= ANY(%s)'} ORDER BY order_id, {order_by}"
    )
    return _fetch(sql, ids if one else [list(ids)])


# --- Writes


def insert_order(order: Order) -> None:
    """Store a new order and send `post_save` as `save()` does, so that its history is recorded."""
    _refuse_outside_transaction()
    sql, values = _insert_one(Order)
    with connection.cursor() as cursor:
        cursor.execute(sql, values(order))
    order._state.adding, order._state.db = False, connection.alias
    _send_post_save(order, created=True)


def update_order(order: Order, fields: tuple[str, ...]) -> None:
    """Store these fields of an order and send `post_save` as `save(update_fields=…)` does, so that its history is
    recorded. Raises Order.NotUpdated."""
    _refuse_outside_transaction()
    if not update(order, fields):
        raise Order.NotUpdated(f"Order {order.pk} does not exist.")
    _send_post_save(order, created=False, update_fields=frozenset(fields))


def _send_post_save(order: Order, *, created: bool, update_fields: frozenset[str] | None = None) -> None:
    post_save.send(
        Order,
        instance=order,
        created=created,
        update_fields=update_fields,
        raw=False,
        using=connection.alias,
    )


def _refuse_outside_transaction() -> None:
    if not connection.in_atomic_block:
        # A receiver that fails would leave the status changed.
        raise DirectStatusWrite("A status and its history are written in one transaction.")


def update(row: models.Model, fields: tuple[str, ...]) -> bool:
    """Store these fields of a row, none of them JSON; false where the row does not exist."""
    with connection.cursor() as cursor:
        cursor.execute(_update(type(row), fields), [*(getattr(row, name) for name in fields), row.pk])
        return bool(cursor.rowcount)


def insert(model: type[models.Model], rows: Iterable[Any]) -> None:
    """Store new rows of `model`: instances, or tuples with the same attributes.

    They go in as one JSON text: the statement is the same however many there are, and orjson writes it in a fraction of
    the time that psycopg takes for an array of each column.
    """
    sql, names, values = _insert(model)
    data = [dict(zip(names, values(row), strict=True)) for row in rows]
    if data:
        with connection.cursor() as cursor:
            cursor.execute(sql, [orjson.dumps(data).decode()])


def move_items(order_id: str, plus: Sequence[str], to: int) -> None:
    """Set the status of some items of an order whose lock is held."""
    with connection.cursor() as cursor:
        # Not `plu = ANY(…)`: that would be planned each time, for longer than it runs (see `_fetch_of_orders`).
        cursor.execute(
            "UPDATE orders_orderitem SET status = %s "
            "WHERE order_id = %s AND array_position(%s::text[], plu::text) IS NOT NULL",
            [to, order_id, list(plus)],
        )


def amend_items(items: Sequence[OrderItem]) -> None:
    """Store note and quantity of some items of one order whose lock is held."""
    if items:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE orders_orderitem i SET note = new.note, quantity = new.quantity
                FROM unnest(%s::text[], %s::text[], %s::integer[]) AS new (plu, note, quantity)
                WHERE i.order_id = %s AND i.plu = new.plu
                """,
                [
                    [item.plu for item in items],
                    [item.note for item in items],
                    [item.quantity for item in items],
                    items[0].order_id,
                ],
            )


# --- Plans


@contextmanager
def without_prepared_statements() -> Iterator[None]:
    """Plan the statements in here each time, for their values and for how large the tables are by then.

    For statements that run seldom and whose best plan depends on that: a plan that was made while a table was nearly
    empty is kept until the next ANALYZE, and reads all of it. Statements that recur are prepared otherwise
    (`prepare_threshold` in the settings).
    """
    connection.ensure_connection()
    raw: Any = connection.connection
    threshold, raw.prepare_threshold = raw.prepare_threshold, None
    try:
        yield
    finally:
        raw.prepare_threshold = threshold


# --- SQL from the models


def _where(kitchen: str | None) -> str:
    return "WHERE orders_order.id = %s" + ("" if kitchen is None else " AND orders_order.kitchen_id = %s")


def _parameters(order_id: str, kitchen: str | None) -> list[str]:
    return [order_id] if kitchen is None else [order_id, kitchen]


def _fetch(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


@cache
def _columns(model: type[models.Model]) -> str:
    table = model._meta.db_table
    return ", ".join(f'"{table}"."{field.column}"' for field in model._meta.concrete_fields)


@cache
def _history_columns() -> str:
    return _columns(StatusChange).replace('"orders_statuschange"."recorded_at"', "NULL")


@cache
def _fields(model: type[models.Model]) -> tuple[list[str], list[bool]]:
    """Field names as `from_db` wants them, and which of them arrive as JSON text."""
    fields = model._meta.concrete_fields
    return [field.attname for field in fields], [isinstance(field, models.JSONField) for field in fields]


def _instance[M: models.Model](model: type[M], row: Sequence[Any]) -> M:
    names, json = _fields(model)
    values = [
        orjson.loads(value) if is_json and value is not None else value
        for value, is_json in zip(row, json, strict=True)
    ]
    return model.from_db(connection.alias, names, values)


@cache
def _insert(model: type[models.Model]) -> tuple[str, tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The statement, and what its rows hold: the columns' names and, of a row, their values."""
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    # Without their lengths: a cast to varchar(50) would silently cut a longer text, the column itself refuses it.
    types = ", ".join(
        f'"{field.column}" {str(field.db_type(connection)).partition("(")[0]}' for field in fields
    )
    sql = (
        f'INSERT INTO "{model._meta.db_table}" ({columns}) '  # noqa: S608 (our own columns)
        f"SELECT {columns} FROM json_to_recordset(%s::json) AS new ({types})"
    )
    return sql, tuple(str(field.column) for field in fields), attrgetter(*(field.attname for field in fields))


@cache
def _insert_one(model: type[models.Model]) -> tuple[str, Callable[[Any], list[Any]]]:
    """One row by its values: on a cluster that goes straight to its worker, which then says what is wrong with it. Of
    several rows the coordinator would say it in words of its own."""
    fields = [(field, isinstance(field, models.JSONField)) for field in model._meta.concrete_fields]
    columns = ", ".join(f'"{field.column}"' for field, _ in fields)
    values = ", ".join("%s::jsonb" if is_json else "%s" for _, is_json in fields)
    names = [(field.attname, is_json) for field, is_json in fields]

    def of(row: Any) -> list[Any]:
        return [_json(getattr(row, name)) if is_json else getattr(row, name) for name, is_json in names]

    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({values})', of  # noqa: S608


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


@cache
def _update(model: type[models.Model], fields: tuple[str, ...]) -> str:
    columns = {field.attname: field.column for field in model._meta.concrete_fields}
    sets = ", ".join(f'"{columns[name]}" = %s' for name in fields)
    return f'UPDATE "{model._meta.db_table}" SET {sets} WHERE "{model._meta.pk.column}" = %s'  # noqa: S608
