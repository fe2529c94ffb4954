"""Rows of orders written with statements that are put together once.

Django's own ways build their SQL anew each time, which takes more CPU than PostgreSQL needs to run it; every order and
change writes these rows. Many go in as one JSON text: the statement is the same however many there are, and orjson
writes it in a fraction of the time that psycopg's arrays of one column each take.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection, models


def insert(rows: Sequence[models.Model]) -> None:
    """Store new rows of one model, all fields given."""
    if not rows:
        return
    sql, names, values = _insert(type(rows[0]))
    data = [dict(zip(names, values(row), strict=True)) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(sql, [orjson.dumps(data).decode()])


def insert_one(row: models.Model) -> None:
    """Store one new row by its values: on a cluster that goes straight to its machine, which then says what is wrong
    with it. Of many rows the coordinator would say it in words of its own."""
    sql, values = _insert_one(type(row))
    with connection.cursor() as cursor:
        cursor.execute(sql, values(row))


def update(row: models.Model, names: tuple[str, ...]) -> bool:
    """Write those attributes of a row that is there, plain values all; false where it isn't."""
    with connection.cursor() as cursor:
        cursor.execute(_update(type(row), names), [*(getattr(row, name) for name in names), row.pk])
        return bool(cursor.rowcount)


@cache
def _insert(model: type[models.Model]) -> tuple[str, tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The statement, and what its rows hold: the columns' names and, of an instance, their values."""
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    # Without their lengths: a cast to varchar(50) would cut a longer text in silence, the column itself refuses it.
    types = ", ".join(
        f'"{field.column}" {str(field.db_type(connection)).partition("(")[0]}' for field in fields
    )
    sql = (
        f'INSERT INTO "{model._meta.db_table}" ({columns}) '  # noqa: S608 (our own columns)
        f"SELECT {columns} FROM json_to_recordset(%s::json) AS given ({types})"
    )
    return sql, tuple(str(field.column) for field in fields), attrgetter(*(field.attname for field in fields))


@cache
def _insert_one(model: type[models.Model]) -> tuple[str, Callable[[Any], list[Any]]]:
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    given = ", ".join("%s::jsonb" if isinstance(field, models.JSONField) else "%s" for field in fields)
    names = [(field.attname, isinstance(field, models.JSONField)) for field in fields]

    def values(row: Any) -> list[Any]:
        return [_text(getattr(row, name)) if is_json else getattr(row, name) for name, is_json in names]

    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({given})', values  # noqa: S608


def _text(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


@cache
def _update(model: type[models.Model], names: tuple[str, ...]) -> str:
    columns = {field.attname: field.column for field in model._meta.concrete_fields}
    sets = ", ".join(f'"{columns[name]}" = %s' for name in names)
    return f'UPDATE "{model._meta.db_table}" SET {sets} WHERE "{model._meta.pk.column}" = %s'  # noqa: S608
