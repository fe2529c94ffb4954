"""Addresses of the embedded PostgreSQL and Valkey. Every process computes the same ones; nothing is started."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Final

DATABASE: Final = "huuva"
# The kernel allows 108 bytes for the path of a socket (104 on macOS), and PostgreSQL adds a lock file beside it.
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
    """Where the server of this folder puts its socket: there, or in a short folder below /tmp if the path is too long
    or needs quoting in a URL."""
    path = f"{folder}/{LONGEST_SOCKET_NAME}"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(path):
        return folder
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    # Not TMPDIR, which differs between processes. The server doesn't start if another user owns the folder.
    return Path(f"/tmp/huuva-{digest}-{folder.name}")  # noqa: S108
