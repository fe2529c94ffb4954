"""PostgreSQL's programs, run on a database."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from huuva.ops.backups import BackupError
from huuva.ops.embedded.postgres import programs


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
