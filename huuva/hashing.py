"""Passwords are hashed one at a time, so that orders and boards never wait for them.

Hashing a password takes about half a second of a processor, whether it is right, wrong, or for an unknown name. The
rules, in each web process:

- One password is hashed at a time, in a thread of its own with low priority.
- One more request may wait for its turn, for WAIT_SECONDS at most.
- All others, and those that have waited that long, are refused with 503 `logins_busy` and Retry-After, without hashing.

So passwords occupy at most two threads of a process, and orders and boards have the others. This applies to all
hashing: logins, and passwords that are set in the admin. Requests over the limits of huuva/logins.py don't get here.
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
# Next to busy threads it gets about half of the processor time of each.
NICE: Final = 3


class HashingTurn:
    """Runs hashing by the rules above. `slots`: the most requests at a time, including the one that is hashing."""

    def __init__(self, wait_seconds: float = WAIT_SECONDS, slots: int = 2) -> None:
        self._wait_seconds = wait_seconds
        self._slots = slots
        self._used = 0
        self._changing = threading.Lock()
        self._turn = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    @property
    def is_full(self) -> bool:
        """Whether `run` would refuse now."""
        return self._used >= self._slots

    def run[T](self, work: Callable[[], T]) -> T:
        """Returns the result of `work`. Raises Problem `logins_busy` (503) if its turn doesn't come in time."""
        with self._changing:
            if self.is_full:
                raise busy()
            self._used += 1
        try:
            if not self._turn.acquire(timeout=self._wait_seconds):
                raise busy()
            try:
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(1, "passwords", initializer=_lower_priority)
                return self._pool.submit(work).result()
            finally:
                self._turn.release()
        finally:
            with self._changing:
                self._used -= 1


def _lower_priority() -> None:
    # Only Linux has a niceness for each thread.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICE)


def busy() -> Problem:
    """The refusal, which says when to try again."""
    return Problem(
        "logins_busy",
        _("Too many people log in right now. Try again in a moment."),
        status=503,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


turn: Final = HashingTurn()


class PasswordHasher(PBKDF2PasswordHasher):
    """Django's own hasher with the same hashes, one at a time. All its hashing is done in `encode`."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        encode = super().encode
        return turn.run(lambda: encode(password, salt, iterations))
