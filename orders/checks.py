"""System checks that need the database. `migrate` runs them, and so does every start."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import Error, Tags, Warning, register
from django.db import connection

from orders import feed


@register(Tags.database)
def feed_is_readable(databases: Sequence[str] | None = None, **kwargs: Any) -> list[Error]:
    if not databases or not _feed_exists() or not feed.rows_ahead():
        return []
    return [
        Error(
            "The history's rows come from another database server: new ones would be lost between them.",
            hint="Run `manage.py raise_feed_offset` once, with nothing else running.",
            id="orders.E001",
        )
    ]


@register(Tags.database)
def sleepers_are_ended(databases: Sequence[str] | None = None, **kwargs: Any) -> list[Warning]:
    """A connection pooler may drop our connection settings."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        if cursor.fetchone() != ("0",):
            return []
    return [
        Warning(
            "The database lets a session sit in a transaction for ever: the change feed would wait for it.",
            hint="A pooler has swallowed our settings: ALTER ROLE … SET idle_in_transaction_session_timeout = '15s', "
            "and lock_timeout = '5s' (docs/scaling.md).",
            id="orders.W002",
        )
    ]


def _feed_exists() -> bool:
    """False before the first `migrate`, which runs this check too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('orders_statuschange') AND attname = 'tx'"
        )
        return cursor.fetchone() is not None
