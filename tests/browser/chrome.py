"""Chromium of the system, and the complaints that it has about a page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

DESK = {"width": 1920, "height": 1080}
PHONE = {"width": 390, "height": 844}
# How long a busy machine may take to show what must come.
PATIENCE_MS = 60_000
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


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium. Raises RuntimeError: without one browser tests can't say anything."""
    for name in (os.environ.get("HUUVA_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name) if name else None
        if path:
            return playwright.chromium.launch(executable_path=path, args=list(FLAGS))
    raise RuntimeError("No Chromium found: install the system's package `chromium`, or set HUUVA_CHROMIUM.")


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
    page.set_default_timeout(PATIENCE_MS)
    complaints = Complaints()

    def console(message: Any) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{page.url}: {message.text}")

    def request(request_: Any) -> None:
        if not request_.url.startswith((base_url, "data:", "blob:")):
            complaints.append(f"{page.url}: asks {request_.url}")

    def response(answer: Any) -> None:
        if answer.status >= 400:
            complaints.append(f"{page.url}: {answer.status} {answer.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("request", request)
    page.on("response", response)
    try:
        yield page, complaints
    finally:
        page.close()


def log_in(page: Page, user: str, password: str) -> None:
    """To the admin's first page."""
    page.goto("/admin/")
    page.locator("[name=username]").fill(user)
    page.locator("[name=password]").fill(password)
    page.locator("[type=submit]").click()
    page.wait_for_url("**/admin/")
