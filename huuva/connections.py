"""Database connections end with the threads that hold them.

The server ends threads that have been idle for ten minutes. Django keeps a connection for each thread in a cycle of
references, which only a full garbage collection finds, and a quiet process may not run one for days: each idle spell
would leave connections behind until PostgreSQL takes no more.
"""

import threading
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

_thread = threading.local()


class _Farewell:
    """Stands in its thread's locals, which are dropped when the thread ends, and closes the connection then."""

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        # The raw connection: the wrapper would insist on being closed by the thread that is ending, and may hold
        # another one by then, made after this one was lost.
        self._raw = wrapper.connection

    def __del__(self) -> None:
        if self._raw is not None:
            self._raw.close()


def close_with_thread(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receiver of `connection_created`."""
    vars(_thread)[connection.alias] = _Farewell(connection)
