"""Access to a database: by connections, and by PostgreSQL's programs."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from huuva.ops.backups import BackupError
from huuva.ops.embedded.postgres import programs


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


@dataclass(frozen=True)
class Program:
    """A running program. Its stderr is a file: a pipe that nobody reads would block it when it is full."""

    name: str
    process: subprocess.Popen[bytes]
    errors: IO[bytes]


@contextmanager
def start(program: str, url: str | None, arguments: Sequence[str], **files: object) -> Iterator[Program]:
    """The program, on the database at `url` or none; killed at the end of the block. `files` are those of `Popen`."""
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "PGTZ": "UTC",
        "HOME": os.environ.get("HOME", "/"),
    }
    target: list[str] = []
    if url is not None:
        parts = conninfo_to_dict(url)
        # In the environment: a command line can be read by every user of the machine.
        password = parts.pop("password", None)
        if password:
            environment["PGPASSWORD"] = str(password)
        target = [f"--dbname={make_conninfo('', **{name: str(value) for name, value in parts.items()})}"]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [str(programs() / program), *target, *arguments],
            env=environment,
            stderr=errors,
            **{"stdin": subprocess.DEVNULL, **files},  # type: ignore[call-overload]
        )
        try:
            yield Program(program, process, errors)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None and not stream.closed:
                    stream.close()


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("The program was started without this pipe.")
    return stream


def run(name: str, url: str | None, arguments: Sequence[str], **files: object) -> None:
    """Runs a program to its end. Raises BackupError."""
    with start(name, url, arguments, **files) as program:
        check(program)


def check(program: Program) -> None:
    """Raises BackupError with the program's first error. Its lines name tables and columns, never rows."""
    if program.process.wait() == 0:
        return
    program.errors.seek(0)
    lines = (line.decode(errors="replace") for line in program.errors)
    first = next((line for line in lines if "error" in line.lower()), "no reason given")
    raise BackupError(f"{program.name} failed: {re.sub(r'DETAIL:.*', '', first).strip()}")
