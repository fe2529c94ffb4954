"""For random histories: the rollups after refresh equal plain SQL over the history, and equal a rebuild."""

import os
from contextlib import suppress
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.models import Progress
from analytics.refresh import ROLLUPS, rebuild, refresh
from analytics.tests.consistency import all_rows, assert_equal_to_plain_sql
from analytics.tests.simulated_orders import SimulatedOrders, Step, steps

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"


class Killed(Exception):
    pass


def start_empty() -> None:
    """Each example begins with no orders."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL huuva.retention = 'on'")
        tables = ", ".join(model._meta.db_table for model in (*ROLLUPS, Progress))
        cursor.execute(f"TRUNCATE orders_order, orders_orderitem, orders_statuschange, {tables} CASCADE")


def refresh_killed_at(statement: int) -> None:
    """A refresh whose process dies at its n-th statement, or finishes if it has fewer."""
    left = statement

    def die(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(die), suppress(Killed):
        refresh(page_size=3)


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=1_000 if FUZZ else 40,
    derandomize=not FUZZ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    history=steps,
    pages=st.lists(st.sampled_from((1, 2, 3, 7, 1000)), min_size=1, max_size=4),
    deaths=st.lists(st.integers(0, 30), min_size=1, max_size=4),
)
def test_rollups_equal_plain_sql_and_a_rebuild(
    history: list[Step], pages: list[int], deaths: list[int]
) -> None:
    start_empty()
    orders = SimulatedOrders()
    refreshes = 0
    try:
        with orders.clock():
            for step in history:
                if step.what == "refresh":
                    # Transactions may be open: rows that theirs could precede must wait.
                    size = pages[refreshes % len(pages)]
                    refresh(page_size=size, max_pages=1 + step.which)
                    refresh_killed_at(deaths[refreshes % len(deaths)])
                    refreshes += 1
                    if step.to > 3:
                        orders.commit_all()
                else:
                    orders.run(step)
    finally:
        orders.commit_all()
    refresh_killed_at(deaths[0])
    refresh(page_size=pages[0])
    assert refresh(page_size=pages[0]).changes == 0
    assert_equal_to_plain_sql()
    before = all_rows()
    rebuild(page_size=pages[-1] * 10)
    assert all_rows() == before


@pytest.mark.django_db(transaction=True)
def test_the_command_rebuilds_them_and_prints_how_much_it_read(capsys: pytest.CaptureFixture[str]) -> None:
    start_empty()
    orders = SimulatedOrders()
    with orders.clock():
        orders.run(Step("create", 1, 2, 0))
    refresh()
    before = all_rows()
    ROLLUPS[0].objects.all().delete()
    ROLLUPS[2].objects.update(orders=99)
    call_command("rebuild_analytics")
    assert all_rows() == before
    assert capsys.readouterr().out == "Read 3 rows of the history.\n"
