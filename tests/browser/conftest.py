"""The browser of all tests of this folder, the managers that use it, and the kitchens whose walls it shows."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chrome import PATIENCE_MS, launch
from tests.browser.walls import WallKitchen
from tests.planted import PASSWORDS

HERE = Path(__file__).parent
expect.set_options(timeout=PATIENCE_MS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A page that nobody looked at is not known to work: where a browser test is skipped, it has failed."""
    report = yield
    if report.skipped and item.path.parent == HERE:
        report.outcome = "failed"
        report.longrepr = f"A browser test must run, this one was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for all tests of this folder. Not longer: while Playwright is open its event loop counts as running, and
    in the thread of a running loop Django refuses to ask the database."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def manager(live_stack: Any) -> tuple[str, str]:
    """Name and password of a manager of the running stack."""
    name, password = "browser-manager", PASSWORDS[0]
    live_stack.manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.contrib.auth.models import User;"
        f"User.objects.create_superuser({name!r}, password={password!r})",
    )
    return name, password


@pytest.fixture(scope="module")
def kitchen(request: pytest.FixtureRequest, browser: Browser, live_stack: Any) -> WallKitchen:
    """A kitchen of its own for each file that asks, named by it."""
    live_stack.start_live()
    return WallKitchen(live_stack, browser, request.module.__name__.rpartition("_")[2])


@pytest.fixture
def empty(kitchen: WallKitchen) -> None:
    """Nothing is open, whatever the test before left there."""
    kitchen.clear()
