"""How a run over several processes hands out the tests: what shares something costly stays in one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

# More processes than that have nothing to do: the longest group, the browser's, sets the time.
MOST_PROCESSES = 4

# What shares a running stack or a browser, longest first: each group is run by one process, from the first test on.
# A test that needs them and stands elsewhere is right too, only later: its process may have to start another one.
GROUPS = {
    "tests/browser/": "browser",
    "tests/api/": "stack",
    "tests/attack/": "stack",
    "tests/fuzz/": "stack",
    "tests/test_docs.py": "stack",
    "huuva/ops/simulation/tests/test_simulate.py": "stack",
    "tests/chaos/": "chaos",
    "tests/live/": "live",
    # Each caller's answers are looked at by several tests, and asked for once.
    "tests/security/test_permissions.py": "permissions",
    "tests/test_run": "run",
}


def distributes(config: pytest.Config) -> bool:
    """Whether this process only hands out the tests, and others run them."""
    return bool(config.getoption("tx", None)) and config.option.dist != "no"


def processes() -> int:
    """How many processes a run on this machine should have: one more than processors, for half of the time of a run is
    spent waiting for browsers, servers and deadlines."""
    return min((os.cpu_count() or 1) + 1, MOST_PROCESSES)


def group(nodeid: str) -> str | None:
    return next((name for path, name in GROUPS.items() if nodeid.startswith(path)), None)


def put_groups_first(items: list[pytest.Item]) -> None:
    """Groups in their order above, then what starts servers of its own, then the rest as pytest-django sorted it."""
    order = list(dict.fromkeys(GROUPS.values()))

    def rank(item: pytest.Item) -> int:
        name = group(item.nodeid)
        if name is not None:
            return order.index(name)
        return len(order) + (not item.nodeid.startswith("tests/"))

    items.sort(key=rank)  # stable


class GroupScheduling(LoadScopeScheduling):
    """Hands out whole groups, and single tests in the order in which they were collected.

    By single tests and not by files, because tests that empty the database must come after those that need what
    migrations put into it.
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # our order is the one of time, theirs the one of numbers

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid) or nodeid
