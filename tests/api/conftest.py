"""Clients of the running stack, one for each set of scopes; their keys have no rate limit."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.client import Client


@pytest.fixture(scope="session")
def client(live_stack: Any) -> Client:
    """A client whose key has all scopes and no kitchen."""
    return Client(live_stack.base_url, live_stack.key)


@pytest.fixture(scope="session")
def client_with(live_stack: Any) -> Callable[..., Client]:
    """Makes a client with a fresh key: `client_with(["orders:read"], kitchen="harju", rate_limit=3)`."""

    def make(scopes: list[str], **limits: Any) -> Client:
        return Client(live_stack.base_url, live_stack.issue_key(scopes=scopes, **limits))

    return make


@pytest.fixture(scope="session")
def anonymous(live_stack: Any) -> Client:
    return Client(live_stack.base_url, None)
