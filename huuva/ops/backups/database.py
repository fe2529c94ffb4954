"""What backups read from the database directly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from huuva.ops.backups import BackupError


@contextmanager
def connect(url: str) -> Iterator[psycopg.Connection]:
    """A connection without timeouts, whatever the settings of role and database: counting may take long. Raises
    BackupError, also for errors inside the block."""
    try:
        connection = psycopg.connect(url, connect_timeout=5, application_name="huuva backup")
    except psycopg.OperationalError as error:
        raise BackupError(f"The database does not let us in ({' '.join(str(error).split())}).") from None
    try:
        with connection:
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(sql.SQL("SET {} = 0").format(sql.Identifier(name)))
            if connection.info.server_version >= 170000:
                connection.execute("SET transaction_timeout = 0")
            connection.commit()
            yield connection
    except psycopg.Error as error:
        raise BackupError(f"The database refused: {error.diag.message_primary or error}") from None


def tables_of(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    ).fetchall()
    return [name for (name,) in rows]


def count_rows(connection: psycopg.Connection) -> dict[str, int]:
    counts = {}
    for table in tables_of(connection):
        query = sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table))
        [(counts[table],)] = connection.execute(query)
    return counts
