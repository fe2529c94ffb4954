"""Chromium of the system for tests that need real pages, and the complaints that it has about them."""

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HERE = Path(__file__).parent
PASSWORD = "sauna-ja-laulu-77"


def chromium() -> str:
    """The system's Chromium. Raises RuntimeError: without one these tests can't say anything."""
    for name in (os.environ.get("HUUVA_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name) if name else None
        if path:
            return path
    raise RuntimeError("No Chromium found: install the system's package `chromium`, or set HUUVA_CHROMIUM.")


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
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def manager(live_stack: Any) -> str:
    """The name of a manager of the running stack, whose password is PASSWORD."""
    live_stack.manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.contrib.auth.models import User;"
        f"User.objects.create_superuser('browser-manager', password='{PASSWORD}')",
    )
    return "browser-manager"


class Complaints(list[str]):
    """What the console said, what failed, and which other hosts were asked."""


@contextmanager
def watched(browser: Browser, base_url: str, **options: Any) -> Iterator[tuple[Page, Complaints]]:
    """A page in a browser profile of its own, with all its complaints."""
    context = browser.new_context(base_url=base_url, locale=options.pop("locale", "en"), **options)
    try:
        with watched_page(context, base_url) as seen:
            yield seen
    finally:
        context.close()


@contextmanager
def watched_page(context: BrowserContext, base_url: str) -> Iterator[tuple[Page, Complaints]]:
    """A new page of that profile, with all its complaints."""
    page = context.new_page()
    page.set_default_timeout(10_000)
    found = Complaints()

    def console(message: Any) -> None:
        if message.type in ("error", "warning"):
            found.append(f"{page.url}: {message.text}")

    def request(asked: Any) -> None:
        if not asked.url.startswith((base_url, "data:", "blob:")):
            found.append(f"{page.url}: asks {asked.url}")

    def response(answer: Any) -> None:
        if answer.status >= 400:
            found.append(f"{page.url}: {answer.status} {answer.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    page.on("request", request)
    page.on("response", response)
    try:
        yield page, found
    finally:
        page.close()
