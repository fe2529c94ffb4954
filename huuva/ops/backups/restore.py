"""Restoring a backup."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Final

import psycopg

from huuva.ops.backups import BackupError
from huuva.ops.backups.database import check, connect, count_rows, pipe, start, tables_of
from huuva.ops.backups.manifest import Manifest, digest_of

CHUNK: Final = 1 << 20
# A server process ends a moment after its client.
ENDING_SECONDS: Final = 2.0
# pg_dump 18 writes these for any server; older servers don't know and don't need them.
UNKNOWN_BEFORE: Final = {b"SET transaction_timeout = 0;\n": 170000}
# The first lines of the script, which have such settings.
HEAD_LINES: Final = 60


def restore(url: str, file: Path, *, replace: bool = False) -> Manifest:
    """Restores a backup into the database at `url`, in one transaction, and compares it with its manifest.

    The database must have no tables, unless `replace` is set; nobody else may be connected. Raises BackupError; nothing
    is changed then, unless the message says that the backup was restored but differs from its manifest. Only the schema
    `public` is replaced.
    """
    manifest = Manifest.read(file)
    if not file.is_file():
        raise BackupError(f"{file} is missing.")
    if digest_of(file) != manifest.sha256:
        raise BackupError(
            f"{file} is not the file that its manifest describes: it is damaged or another one."
        )
    with connect(url) as connection:
        _refuse_others(connection)
        if tables_of(connection) and not replace:
            raise BackupError(
                "The database holds tables already: restore into an empty one, or say --replace to lose them."
            )
        server = connection.info.server_version
    _load(url, file, server)
    with connect(url) as connection:
        rows = count_rows(connection)
    if rows != manifest.rows:
        wrong = sorted(name for name in {*rows, *manifest.rows} if rows.get(name) != manifest.rows.get(name))
        raise BackupError(
            f"Restored, but the rows of {', '.join(wrong)} are not those of the manifest: don't use it."
        )
    return manifest


def _load(url: str, file: Path, server: int) -> None:
    """`pg_restore` writes the script; `psql` drops the schema and runs it, in one transaction."""
    skipped = {line for line, since in UNKNOWN_BEFORE.items() if server < since}
    with (
        start(
            "pg_restore",
            None,
            ["--no-owner", "--no-privileges", "--file=-", str(file)],
            stdout=subprocess.PIPE,
        ) as script,
        start(
            "psql",
            url,
            [
                *("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
                *(
                    # The role's timeouts would end these commands; the script sets them for the rest.
                    "--command=SET statement_timeout = 0; SET lock_timeout = 0",
                    "--command=DROP SCHEMA public CASCADE",
                    "--command=CREATE SCHEMA public AUTHORIZATION pg_database_owner",
                    "--file=-",
                ),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        ) as loader,
    ):
        source, sink = pipe(script.process.stdout), pipe(loader.process.stdin)
        try:
            for _ in range(HEAD_LINES):
                line = source.readline()
                if line not in skipped:
                    sink.write(line)
            while chunk := source.read(CHUNK):
                sink.write(chunk)
            if script.process.wait() != 0:
                # Without this, psql would commit a truncated script.
                sink.write(b"\n;SELECT 1/0 AS the_backup_could_not_be_read;\n")
            sink.close()
        except BrokenPipeError:
            # psql has failed; its error says why.
            script.process.kill()
            check(loader)
        check(script)
        check(loader)


def _refuse_others(connection: psycopg.Connection) -> None:
    """Raises BackupError. Connections that were just closed, like that of a finished backup, get a moment to end."""
    until = time.monotonic() + ENDING_SECONDS
    while others := _others(connection):
        if time.monotonic() > until:
            who = ", ".join(f"{name} ({count})" for name, count in others)
            raise BackupError(
                f"Others are connected to the database: {who}. Stop web, worker and beat first."
            )
        connection.rollback()  # within one transaction PostgreSQL shows the same sessions again
        time.sleep(0.05)


def _others(connection: psycopg.Connection) -> list[tuple[str, int]]:
    # A role without privileges doesn't see the backend_type of other roles' processes, only their role.
    return connection.execute(
        """
        SELECT coalesce(nullif(application_name, ''), 'a program without a name'), count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
        GROUP BY 1 ORDER BY 1
        """
    ).fetchall()
