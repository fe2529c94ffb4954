"""PostgreSQL's own programs, run on a database."""

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
    """A program that runs. It complains into a file: a pipe that nobody reads would stop it when it is full."""

    name: str
    process: subprocess.Popen[bytes]
    complaints: IO[bytes]


@contextmanager
def started(program: str, url: str | None, words: Sequence[str], **files: object) -> Iterator[Program]:
    """The program, on the database at `url` or on none; ended with the block. `files` are those of `Popen`."""
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
            yield Program(program, process, complaints)
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


def run(name: str, url: str | None, words: Sequence[str], **files: object) -> None:
    """Runs a program to its end. Raises BackupError."""
    with started(name, url, words, **files) as program:
        check(program)


def check(program: Program) -> None:
    """Raises BackupError with the program's own first complaint. Its lines name tables and columns, never rows."""
    if program.process.wait() == 0:
        return
    program.complaints.seek(0)
    lines = (line.decode(errors="replace") for line in program.complaints)
    first = next((line for line in lines if "error" in line.lower()), "no reason given")
    raise BackupError(f"{program.name} failed: {re.sub(r'DETAIL:.*', '', first).strip()}")
