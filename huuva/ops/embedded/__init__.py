"""The embedded PostgreSQL and Valkey under HUUVA_HOME, for installations that don't set DATABASE_URL and REDIS_URL.

Cheap to import: most processes never start a server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from core.addresses import database_url, redis_url


def wanted(settings: Any) -> dict[str, bool]:
    """Which embedded servers these settings use, as keyword arguments of `services`."""
    home = settings.HUUVA_HOME
    return {
        "postgres": database_url(home) == settings.DATABASE_URL,
        "valkey": redis_url(home) == settings.REDIS_URL,
    }


@contextmanager
def services(
    home: Path, *, postgres: bool, valkey: bool, durable: bool = True, watch: bool = False
) -> Iterator[None]:
    """Keeps the servers running inside the block; the last process to leave stops them.

    With `watch`, a server that dies meanwhile is restarted. Raises ConfigError and ServiceError.
    """
    if not (postgres or valkey):
        yield
        return
    from huuva.ops.embedded.postgres import ensure_postgres, stop_postgres
    from huuva.ops.embedded.users import Users
    from huuva.ops.embedded.valkey import ensure_valkey, stop_valkey
    from huuva.ops.embedded.watch import watching

    users = Users(home)

    def ensure() -> None:
        with users.starting():
            if postgres:
                ensure_postgres(home, durable=durable)
            if valkey:
                ensure_valkey(home)

    try:
        ensure()
        with watching(ensure) if watch else nullcontext():
            yield
    finally:
        with users.leaving() as last:
            if last:
                stop_valkey(home)
                stop_postgres(home)
