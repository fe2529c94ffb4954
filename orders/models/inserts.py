"""Many rows in one statement that is put together once.

`bulk_create` builds it anew each time, which takes more CPU than PostgreSQL needs to run it; every order and change
writes history. All rows go in as one array for each column, so the statement is the same however many there are.
"""

from collections.abc import Sequence
from functools import cache

import orjson
from django.db import connection, models


def insert(rows: Sequence[models.Model]) -> None:
    """Store new rows of one model, all fields given."""
    if not rows:
        return
    sql, columns = _statement(type(rows[0]))
    parameters = [
        [orjson.dumps(getattr(row, name)).decode() if is_json else getattr(row, name) for row in rows]
        for name, is_json in columns
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


@cache
def _statement(model: type[models.Model]) -> tuple[str, list[tuple[str, bool]]]:
    """The statement, and for each of its parameters the attribute and whether it goes in as JSON text."""
    fields = model._meta.concrete_fields
    names = ", ".join(f'"{field.column}"' for field in fields)
    # Without its length: a cast to varchar(50) would cut a longer text in silence, the column itself refuses it.
    arrays = ", ".join(f"%s::{(field.db_type(connection) or '').partition('(')[0]}[]" for field in fields)
    sql = f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT * FROM unnest({arrays})'  # noqa: S608 (our own columns)
    return sql, [(field.attname, isinstance(field, models.JSONField)) for field in fields]
