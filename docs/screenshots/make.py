"""Makes the screenshots of this folder from real pages of a running kitchen: `make screenshots`."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BRANDS = [
    ("burger", "Huuva Burger", "#e2574c"),
    ("sushi", "Sushi Katu", "#3aa6d0"),
    ("bowl", "Green Bowl", "#58b368"),
]
MAKE_BRAND = "from orders.models import Brand; Brand"
SIZES = {"1920x1080": (1920, 1080), "1280x720": (1280, 720), "phone": (390, 844)}
sys.path.insert(0, str(ROOT))


def main() -> None:
    from tests.home import make_home, remove_home

    home = make_home()
    os.environ["HUUVA_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "huuva.settings"
    from huuva import embedded, settings
    from tests.live_stack import LiveStack

    with ExitStack() as running:
        running.callback(remove_home, home)
        running.enter_context(embedded.services(home, **embedded.wanted(settings), durable=False))
        stack = LiveStack(home, settings.DATABASE_URL, settings.REDIS_URL)
        running.callback(stack.stop)
        stack.start()
        stack.start_live()
        shoot(stack)


def shoot(stack: Any) -> None:
    from playwright.sync_api import expect, sync_playwright

    from tests.browser.conftest import FLAGS, chromium
    from tests.browser.walls import WallKitchen

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        kitchen = WallKitchen(stack, browser, "kallio")
        for brand, name, colour in BRANDS:
            stack.manage(
                "shell", "--no-imports", "-c", f"{MAKE_BRAND}('{brand}', '{name}', '{colour}').save()"
            )
        few = [
            {"plu": "B-1", "name": "Hawaii Burger", "quantity": 2, "note": "No onion, cut in half"},
            {"plu": "S-1", "name": "Sushi Set Large", "quantity": 1, "allergens": ["Fish", "Soy"]},
            {"plu": "D-1", "name": "Miso soup", "quantity": 3},
        ]
        for number in range(5):
            minutes, items, brand = 1 + 4 * number, few[: 1 + number % 3], BRANDS[number % 3][0]
            order = kitchen.order(f"#{310 + number}", minutes=minutes, items=items, brandId=brand)
            if number in (1, 3):
                kitchen.client.move(order["id"], "READY" if number == 3 else "PREPARING")
        with kitchen.wall() as wall:
            save(wall, "wall-calm-1920x1080")
        with kitchen.wall("pickup-1", "--board", "pickup", path="/pickup/") as wall:
            save(wall, "pickup-1920x1080")
        kitchen.clear()
        kitchen.rush()
        with kitchen.wall() as wall:
            first = wall.page.locator(".grid .ticket").first.get_attribute("data-order") or ""
            kitchen.client.move(first, "CANCELLED")
            expect(wall.page.locator(".ticket--cancelled").first).to_be_visible()
        for name, (width, height) in SIZES.items():
            with kitchen.wall(viewport={"width": width, "height": height}) as wall:
                save(wall, f"wall-rush-{name}")
        with kitchen.wall() as wall:
            wall.press("/")
            save(wall, "all-day-1920x1080")
        with kitchen.wall(path="/display/") as wall:
            wall.page.goto("/display/paper")
            save(wall, "paper")
        browser.close()


def save(wall: Any, name: str) -> None:
    page = wall.page
    page.evaluate("document.querySelector('[data-flash]')?.remove()")
    page.screenshot(path=HERE / f"{name}.png")
    sys.stdout.write(f"docs/screenshots/{name}.png\n")


if __name__ == "__main__":
    main()
