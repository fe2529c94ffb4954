"""Restarts the embedded servers of a running installation when one dies."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from core.env import ConfigError
from huuva.ops.embedded.places import ServiceError

# Seconds between two checks. A check costs two connections to PostgreSQL and one to Valkey.
PERIOD: Final = 2.0


@contextmanager
def watching(ensure: Callable[[], None]) -> Iterator[None]:
    """Calls `ensure`, which starts what isn't running, each PERIOD until the block ends.

    An error is printed once, until it succeeds again.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(ensure, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        # A server that is being started must not be stopped halfway.
        thread.join()


def _watch(ensure: Callable[[], None], stop: threading.Event) -> None:
    reported = ""
    while not stop.wait(PERIOD):
        try:
            ensure()
            reported = ""
        except (ConfigError, ServiceError, OSError, psycopg.Error) as error:
            if str(error) != reported:
                reported = str(error)
                sys.stderr.write(f"{reported}\n")
