"""Folders, sockets and the system user of the embedded servers."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.env import ConfigError
from core.home import make_folder

# PostgreSQL refuses to run as root. This account exists on every system, owns nothing and can't log in.
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


def prepare_home(home: Path) -> Path:
    make_folder(home)
    make_folder(home / "log")
    return home


def account_for(folder: Path) -> Account | None:
    """The user that runs the server of this folder: None for the current user, another one if that is root."""
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
    """Creates a folder that only the server's user can enter. Raises ConfigError if another user owns it."""
    make_folder(folder, mode=0o700)
    uid = os.geteuid() if account is None else account.uid
    status = folder.lstat()
    if account is not None and stat.S_ISDIR(status.st_mode) and status.st_uid == 0:
        os.chown(folder, account.uid, account.gid)
    elif not stat.S_ISDIR(status.st_mode) or status.st_uid != uid:
        raise ConfigError(
            f"{folder} belongs to another user: start as that user, or set HUUVA_HOME to another folder."
        )
    folder.chmod(0o700)


def open_path(target: Path, account: Account | None) -> None:
    """Lets the account reach the target: adds missing traverse bits to the folders above, with a message."""
    if account is None:
        return
    for folder in reversed(target.resolve().parents):
        status = folder.stat()
        if status.st_uid == account.uid:
            bit = stat.S_IXUSR
        elif status.st_gid == account.gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not status.st_mode & bit:
            folder.chmod(stat.S_IMODE(status.st_mode) | bit)
            print(
                f"Let other users pass through {folder} (chmod +x), because the embedded servers run as "
                f"{account.name} and need what is below.",
                file=sys.stderr,
            )
