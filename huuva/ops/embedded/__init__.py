"""The real PostgreSQL and Valkey, started by us under HUUVA_HOME where no address of others is set.

Cheap to import: most processes never start a server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from core.addresses import database_url, redis_url


def wanted(settings: Any) -> dict[str, bool]:
    """Which servers these settings need from us: none whose address is somebody else's. Words for `services`."""
    home = settings.HUUVA_HOME
    return {
        "postgres": database_url(home) == settings.DATABASE_URL,
        "valkey": redis_url(home) == settings.REDIS_URL,
    }


@contextmanager
def services(
    home: Path, *, postgres: bool, valkey: bool, durable: bool = True, watch: bool = False
) -> Iterator[None]:
    """Keeps the wanted servers running inside the block; the last process to leave stops them.

    With `watch` a server that dies meanwhile is started again. Raises ConfigError and ServiceError.
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
