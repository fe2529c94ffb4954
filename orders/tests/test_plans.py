"""When PostgreSQL keeps plans."""

import pytest
from django.db import connection

from orders.statements import without_prepared_statements

STATEMENT = "SELECT count(*) AS counted_for_a_plan FROM orders_order WHERE note = %s"


def _kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%counted_for_a_plan%'"
        )
        found: int = cursor.fetchone()[0]
        return found


def _run(times: int) -> None:
    with connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute(STATEMENT, ["none"])


@pytest.mark.django_db
def test_a_statement_that_is_planned_anew_is_not_kept_and_the_next_one_is() -> None:
    with without_prepared_statements():
        _run(8)
    assert _kept() == 0
    _run(8)
    assert _kept() == 1
    with pytest.raises(LookupError), without_prepared_statements():
        raise LookupError
    assert connection.connection.prepare_threshold is not None
