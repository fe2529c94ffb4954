"""Clients of the running stack, one for each set of scopes; their keys have no rate limit."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.api.client import Client
from tests.live_stack import SCOPES


@pytest.fixture(scope="session")
def client_with(live_stack: Any) -> Callable[..., Client]:
    """Makes a client with a fresh key: `client_with(["orders:read"], kitchen="harju", rate_limit=3)`."""

    def make(scopes: Sequence[str], *, kitchen: str | None = "main", rate_limit: int = 0) -> Client:
        key = live_stack.issue_key(scopes=scopes, kitchen=kitchen, rate_limit=rate_limit)
        return Client(live_stack.base_url, key)

    return make


@pytest.fixture(scope="session")
def client(client_with: Callable[..., Client]) -> Client:
    """A client whose key has all scopes, for the kitchen `main`."""
    return client_with(SCOPES)


@pytest.fixture(scope="session")
def anywhere(live_stack: Any) -> Client:
    """A client whose key has all scopes and all kitchens."""
    return Client(live_stack.base_url, live_stack.key)


@pytest.fixture(scope="session")
def anonymous(live_stack: Any) -> Client:
    return Client(live_stack.base_url, None)


@pytest.fixture(scope="session")
def other_kitchen(live_stack: Any) -> str:
    """The slug of a second kitchen. From then on a key for all kitchens must name one in each new order."""
    live_stack.issue_key(scopes=["orders:read"], kitchen="harju")  # makes the kitchen
    return "harju"
