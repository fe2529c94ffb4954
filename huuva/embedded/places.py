"""Folders, sockets and the system user of the embedded servers."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huuva.env import ConfigError
from huuva.home import make_folder

# The kernel's limit for a socket's path is 108 bytes (104 on macOS); PostgreSQL adds a lock file beside it.
LONGEST_SOCKET_PATH: Final = 90
LONGEST_SOCKET_NAME: Final = ".s.PGSQL.5432"
PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9_./-]+")

# PostgreSQL refuses to run as root. This account is on every system, owns nothing and can't log in.
UNPRIVILEGED: Final = "nobody"


class ServiceError(Exception):
    """An embedded server could not be started or stopped. The message is one sentence that names its log."""

    exit_code = 2


@dataclass(frozen=True)
class Account:
    """The system user that a server runs as when we are root."""

    name: str
    uid: int
    gid: int


def postgres_folder(home: Path) -> Path:
    return home / "postgres"


def valkey_folder(home: Path) -> Path:
    return home / "valkey"


def socket_folder(home: Path, folder: Path) -> Path:
    """Where the server of this folder puts its socket: there, or in a short folder if the path is too long.

    Pure, so that every process finds the same place. Paths that need quoting in a URL take the short one too.
    """
    path = f"{folder}/{LONGEST_SOCKET_NAME}"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(path):
        return folder
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    # Not TMPDIR, which differs between processes. prepare_folder refuses the folder if somebody else made it.
    return Path(f"/tmp/huuva-{digest}-{folder.name}")  # noqa: S108


def prepare_home(home: Path) -> Path:
    make_folder(home)
    make_folder(home / "log")
    return home


def account_for(folder: Path) -> Account | None:
    """The user that runs the server of this folder: None for ourselves, another one if we are root."""
    if os.geteuid() != 0:
        return None
    try:
        owner = pwd.getpwuid(folder.stat().st_uid)
    except (FileNotFoundError, KeyError):
        owner = None
    if owner is None or owner.pw_uid == 0:
        try:
            owner = pwd.getpwnam(UNPRIVILEGED)
        except KeyError:
            raise ConfigError(
                f"PostgreSQL cannot run as root and there is no user {UNPRIVILEGED}: start as another user."
            ) from None
    return Account(owner.pw_name, owner.pw_uid, owner.pw_gid)


def prepare_folder(folder: Path, account: Account | None) -> None:
    """Makes a folder that only the server's user can enter. Raises ConfigError if it is somebody else's."""
    make_folder(folder, mode=0o700)
    uid = os.geteuid() if account is None else account.uid
    found = folder.lstat()
    if account is not None and stat.S_ISDIR(found.st_mode) and found.st_uid == 0:
        os.chown(folder, account.uid, account.gid)
    elif not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise ConfigError(
            f"{folder} belongs to another user: start as that user, or set HUUVA_HOME to another folder."
        )
    folder.chmod(0o700)


def open_path(target: Path, account: Account | None) -> None:
    """Lets the account reach the target: adds missing traverse bits to the folders above, and says so."""
    if account is None:
        return
    for folder in reversed(target.resolve().parents):
        found = folder.stat()
        if found.st_uid == account.uid:
            bit = stat.S_IXUSR
        elif found.st_gid == account.gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not found.st_mode & bit:
            folder.chmod(stat.S_IMODE(found.st_mode) | bit)
            print(
                f"Let other users pass through {folder} (chmod +x), because the embedded servers run as "
                f"{account.name} and need what is below.",
                file=sys.stderr,
            )
