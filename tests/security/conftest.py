"""The house that is asked: built once for each module."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.security import house as houses
from tests.security.house import House


@pytest.fixture(scope="module")
def house(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    """One for all tests of a module; what is asked of it is taken back each time."""
    with django_db_blocker.unblock(), transaction.atomic():
        built = houses.build()
        with django_db_blocker.block():
            yield built
        transaction.set_rollback(True)
