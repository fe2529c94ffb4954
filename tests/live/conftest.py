from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.home import make_home, remove_home
from tests.live.process import LiveProcess


@pytest.fixture(scope="session")
def live_process() -> Iterator[LiveProcess]:
    """One for all tests; each leaves Valkey running."""
    home = make_home()
    process = LiveProcess(home)
    try:
        process.start()
        yield process
        process.stop()
    finally:
        remove_home(home)


@pytest.fixture
def live(live_process: LiveProcess) -> Iterator[LiveProcess]:
    yield live_process
    live_process.start_valkey()
