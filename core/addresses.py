"""Where the embedded PostgreSQL and Valkey of a home answer. Pure: every process gets the same, nothing is started."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Final

DATABASE: Final = "huuva"
# The kernel's limit for a socket's path is 108 bytes (104 on macOS); PostgreSQL adds a lock file beside it.
LONGEST_SOCKET_PATH: Final = 90
LONGEST_SOCKET_NAME: Final = ".s.PGSQL.5432"
PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9_./-]+")


def database_url(home: Path, database: str = DATABASE) -> str:
    return f"postgresql://{DATABASE}@/{database}?host={socket_folder(home, postgres_folder(home))}"


def redis_url(home: Path, database: int = 0) -> str:
    return f"unix://{socket_folder(home, valkey_folder(home))}/valkey.sock?db={database}"


def postgres_folder(home: Path) -> Path:
    return home / "postgres"


def valkey_folder(home: Path) -> Path:
    return home / "valkey"


def socket_folder(home: Path, folder: Path) -> Path:
    """Where the server of this folder puts its socket: there, or in a short folder if the path is too long.

    Paths that need quoting in a URL take the short one too.
    """
    path = f"{folder}/{LONGEST_SOCKET_NAME}"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(path):
        return folder
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    # Not TMPDIR, which differs between processes. The server's start refuses the folder if somebody else made it.
    return Path(f"/tmp/huuva-{digest}-{folder.name}")  # noqa: S108
