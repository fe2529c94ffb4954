"""The two kitchens and their callers, built once for each module."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.security.tenants import Tenants, build


@pytest.fixture(scope="module")
def tenants(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tenants]:
    """One for all tests of a module; each call is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        built = build()
        with django_db_blocker.block():
            yield built
        transaction.set_rollback(True)
