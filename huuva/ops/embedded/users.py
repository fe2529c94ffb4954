"""Counts the users of a home's embedded servers, so that two starts don't collide and the last one stops them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huuva.ops.embedded.places import prepare_home


class Users:
    """One process's claim on the servers of a home.

    Both locks are POSIX record locks: the kernel releases them when the process dies, also by kill -9, and a forked
    child does not inherit them.
    """

    def __init__(self, home: Path) -> None:
        folder = prepare_home(home) / "run"
        folder.mkdir(exist_ok=True)
        self._turn = os.open(folder / "services.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._use = os.open(folder / "services.users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Inside the block nobody else starts or stops a server; from then on this process is a user."""
        fcntl.lockf(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.lockf(self._use, fcntl.LOCK_SH)
            yield
        finally:
            fcntl.lockf(self._turn, fcntl.LOCK_UN)

    @contextmanager
    def leaving(self) -> Iterator[bool]:
        """Ends the claim; True if it was the last, so that the servers can be stopped."""
        fcntl.lockf(self._turn, fcntl.LOCK_EX)
        try:
            try:
                fcntl.lockf(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                last = True
            except OSError:
                last = False
            yield last
        finally:
            os.close(self._use)
            os.close(self._turn)
