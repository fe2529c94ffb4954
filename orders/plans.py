"""When PostgreSQL may keep the plan of a statement.

Statements that return are prepared (`prepare_threshold` in the settings), and one whose plan for all values seems as
good as that for the values at hand is planned no more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def without_prepared_statements() -> Iterator[None]:
    """Statements in here are planned each time, for their values and for how large the tables are by now.

    For statements that run seldom and whose best plan depends on that: a plan that was made while a table was nearly
    empty is kept until the next ANALYZE, and reads all of it.
    """
    connection.ensure_connection()
    raw: Any = connection.connection
    threshold, raw.prepare_threshold = raw.prepare_threshold, None
    try:
        yield
    finally:
        raw.prepare_threshold = threshold
