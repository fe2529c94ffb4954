"""Passwords are hashed one at a time, so that orders and boards never wait for them.

To hash a password takes a processor about half a second, whether it is right, wrong, or of a name that nobody has. The
rule, in each web process:

- One password is hashed at a time, in a thread of its own that gives way to all others.
- One request may wait for its turn, for WAIT_SECONDS at most.
- Whoever else comes, and whoever has waited for so long, is refused: 503 `logins_busy` with Retry-After. Nothing has
  been hashed for them.

So at most two of a process's threads are ever held by passwords, and orders and boards have the others. It holds for
whatever is hashed: logins, and passwords that are set in the admin. Who has used up the limits of huuva/logins.py
doesn't even come here.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.translation import gettext as _

from core.problems import Problem

WAIT_SECONDS: Final = 2.5
RETRY_AFTER_SECONDS: Final = 3
# Beside busy threads it gets half of what each of them gets.
NICE: Final = 3


class HashingTurn:
    """Runs what hashes, by the rule above. `places`: how many requests are held at most, the one whose turn it is
    included."""

    def __init__(self, wait_seconds: float = WAIT_SECONDS, places: int = 2) -> None:
        self._wait_seconds = wait_seconds
        self._places = places
        self._held = 0
        self._changing = threading.Lock()
        self._turn = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    @property
    def is_full(self) -> bool:
        """Whether `run` would refuse now."""
        return self._held >= self._places

    def run[T](self, work: Callable[[], T]) -> T:
        """What `work` returns. Raises Problem `logins_busy` (503) where it isn't its turn in time."""
        with self._changing:
            if self.is_full:
                raise busy()
            self._held += 1
        try:
            if not self._turn.acquire(timeout=self._wait_seconds):
                raise busy()
            try:
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(1, "passwords", initializer=_give_way)
                return self._pool.submit(work).result()
            finally:
                self._turn.release()
        finally:
            with self._changing:
                self._held -= 1


def _give_way() -> None:
    # Only Linux counts the niceness of each thread by itself.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICE)


def busy() -> Problem:
    """The refusal: says when to come again."""
    return Problem(
        "logins_busy",
        _("Too many people log in right now. Try again in a moment."),
        status=503,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


turn: Final = HashingTurn()


class PasswordHasher(PBKDF2PasswordHasher):
    """Django's own, in turn: what it makes and reads is the same. All its work is done in `encode`."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        encode = super().encode
        return turn.run(lambda: encode(password, salt, iterations))
