"""Starts the embedded servers again when one of them dies under a running installation."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from core.env import ConfigError
from huuva.ops.embedded.places import ServiceError

# Between two looks, in seconds. A look that finds all well is two connections to PostgreSQL and one to Valkey.
PERIOD: Final = 2.0


@contextmanager
def watching(ensure: Callable[[], None]) -> Iterator[None]:
    """Calls `ensure`, which starts what doesn't run, each PERIOD until the block ends.

    What it can't mend is said once, until it succeeds again.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(ensure, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        # A server that is just being started is not to be stopped halfway.
        thread.join()


def _watch(ensure: Callable[[], None], stop: threading.Event) -> None:
    said = ""
    while not stop.wait(PERIOD):
        try:
            ensure()
            said = ""
        except (ConfigError, ServiceError, OSError, psycopg.Error) as error:
            if str(error) != said:
                said = str(error)
                sys.stderr.write(f"{said}\n")
