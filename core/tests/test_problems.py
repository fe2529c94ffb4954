"""The answers to a client when the database has trouble."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from core.problems import as_problem

pytestmark = pytest.mark.django_db


def raised(state: str) -> DatabaseError:
    """The error that comes out of Django where PostgreSQL raises one with this SQLSTATE."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{state}'; END $$")
    return caught.value


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("53100", "database_unavailable"),  # disk full
        ("XX000", "database_unavailable"),  # internal error: a used up quota is one
        ("58030", "database_unavailable"),  # I/O error
        ("57P01", "database_unavailable"),  # ended by an administrator
        ("53300", "database_unavailable"),  # too many connections
        ("25006", "database_unavailable"),  # read-only: a former primary
        ("55P03", "busy"),
        ("40P01", "busy"),
    ],
)
def test_trouble_of_the_database_is_a_503_with_retry_after(state: str, code: str) -> None:
    problem = as_problem(raised(state), RequestFactory().get("/api/orders"))

    assert problem is not None
    assert (problem.status_code, problem.code, problem.headers) == (503, code, {"Retry-After": "2"})


@pytest.mark.parametrize("state", ["42601", "42P01", "22012"])
def test_a_statement_that_is_wrong_is_a_fault_of_ours(state: str) -> None:
    assert as_problem(raised(state), RequestFactory().get("/api/orders")) is None
