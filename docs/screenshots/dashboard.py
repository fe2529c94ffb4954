"""Makes the screenshots of the managers' dashboard, from 90 simulated days: a part of `make screenshots`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from running import HERE, running_stack

SIZES = {"1920x1080": (1920, 1080), "phone": (390, 844)}


def main() -> None:
    with running_stack() as stack:
        shoot(stack)


def shoot(stack: Any) -> None:
    from tests.planted import PASSWORDS

    stack.manage("first_data")
    stack.manage("simulate", "--days", "90", "--orders-per-day", "800", "--seed", "7")
    stack.manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.contrib.auth.models import User;"
        f"User.objects.create_superuser('anna', password='{PASSWORDS[0]}')",
    )
    pages(stack.base_url, "anna", PASSWORDS[0])


def pages(base_url: str, user: str, password: str) -> None:
    """What is seen at first, and a long range as a whole page: at a desk and on a phone, by day and by night."""
    for name, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            with signed_in(base_url, user, password, width, height, scheme) as page:
                look(page, "/admin/", f"dashboard-{name}-{scheme}")
                if name != "phone" or scheme == "light":
                    look(page, "/admin/analytics/?range=90", f"dashboard-90-days-{name}-{scheme}", whole=True)


def look(page: Any, path: str, name: str, *, whole: bool = False) -> None:
    page.goto(path, wait_until="networkidle")
    page.wait_for_function(
        "[...document.querySelectorAll('canvas[data-chart]')].every(each => 'drawn' in each.dataset)"
    )
    page.screenshot(path=HERE / f"{name}.png", full_page=whole)
    sys.stdout.write(f"docs/screenshots/{name}.png\n")


@contextmanager
def signed_in(base_url: str, user: str, password: str, width: int, height: int, scheme: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    from tests.browser.chrome import launch, log_in

    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(
            base_url=base_url, viewport={"width": width, "height": height}, color_scheme=scheme, locale="en"
        )
        page = context.new_page()
        log_in(page, user, password)
        yield page
        browser.close()


if __name__ == "__main__":
    main()
