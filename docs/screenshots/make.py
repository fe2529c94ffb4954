"""Makes the screenshots of screens from real pages of a running kitchen: a part of `make screenshots`."""

import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from running import HERE, running_stack

BRANDS = [
    ("burger", "Huuva Burger", "#e2574c"),
    ("sushi", "Sushi Katu", "#3aa6d0"),
    ("bowl", "Green Bowl", "#58b368"),
]
MAKE_BRAND = "from orders.models import Brand; Brand"
SEED = 7
# Minutes until the first are due. What is past when it comes would be due a quarter of an hour later.
SOON = 0.25
SIZES = {"1920x1080": (1920, 1080), "1280x720": (1280, 720), "phone": (390, 844)}


def main() -> None:
    with running_stack() as stack:
        stack.start_live()
        shoot(stack)


def shoot(stack: Any) -> None:
    from playwright.sync_api import expect, sync_playwright

    from tests.browser.chrome import launch
    from tests.browser.walls import WallKitchen

    with sync_playwright() as playwright:
        browser = launch(playwright)
        for brand, name, colour in BRANDS:
            stack.manage(
                "shell", "--no-imports", "-c", f"{MAKE_BRAND}('{brand}', '{name}', '{colour}').save()"
            )
        calm = WallKitchen(stack, browser, "kallio")
        quiet_afternoon(calm)
        with calm.wall() as wall:
            expect(wall.page.locator(".timer[data-urgency=late]")).to_have_count(1, timeout=60_000)
            save(wall, "wall-calm-1920x1080")
        rush = WallKitchen(stack, browser, "pasila")
        busy_evening(rush)
        for name, (width, height) in SIZES.items():
            with rush.wall(viewport={"width": width, "height": height}) as wall:
                expect(wall.page.locator(".grid .timer[data-urgency=late]").first).to_be_visible(
                    timeout=60_000
                )
                save(wall, f"wall-rush-{name}")
        panels(rush)
        with rush.wall("pickup-1", "--board", "pickup", path="/pickup/") as wall:
            save(wall, "pickup-1920x1080")
        with rush.wall() as wall:
            wall.page.goto("/display/paper")
            save(wall, "paper")
        alarms(calm)
        browser.close()


def quiet_afternoon(kitchen: Any) -> None:
    """Five orders, each in another state."""
    few = [
        {"plu": "B-1", "name": "Hawaii Burger", "quantity": 2, "note": "No onion, cut in half"},
        {"plu": "S-1", "name": "Sushi Set Large", "quantity": 1, "allergens": ["Fish", "Soy"]},
        {"plu": "D-1", "name": "Miso soup", "quantity": 3},
    ]
    for number in range(5):
        brand = BRANDS[number % 3][0]
        order = kitchen.order(
            f"#{310 + number}",
            minutes=SOON + 4 * number,
            items=few[: 1 + number % 3],
            brandId=brand,
            created=ago(14 - 3 * number),
        )
        if number in (1, 3):
            kitchen.client.move(order["id"], "READY" if number == 3 else "PREPARING")


def busy_evening(kitchen: Any) -> None:
    """Forty open orders of 1 to 12 items, long notes, four of them ready; three for later."""
    from tests.browser.mixes import uniform

    chance = random.Random(SEED)  # noqa: S311 (the same picture each time)
    for number, fields in enumerate(uniform(chance)):
        fields["minutes"] = SOON + max(0, number - 3) * 0.5
        order = kitchen.order(**fields, created=ago(13 - number * 0.3))
        if number % 10 == 7:
            kitchen.client.move(order["id"], "READY")
        elif number % 3 == 0:
            kitchen.client.move_item(order["id"], "P-0", "READY" if len(order["items"]) > 1 else "PREPARING")
    for number in range(3):
        items = [{"plu": "S-1", "name": "Sushi Set Large", "quantity": 4 + number}]
        kitchen.order(f"#{190 + number}", minutes=70 + 35 * number, items=items, brandId="sushi")


def panels(kitchen: Any) -> None:
    from playwright.sync_api import expect

    with kitchen.wall() as wall:
        wall.press("/")
        save(wall, "all-day-1920x1080")
        wall.page.keyboard.press("Escape")
        wall.page.locator("[data-hold=settings]").focus()
        wall.press("⏎")
        save(wall, "settings-1920x1080")
        wall.page.keyboard.press("Escape")
        wall.press("*")
        expect(wall.page.locator("#recalls .recall").first).to_be_visible()
        save(wall, "recall-1920x1080")
        wall.page.keyboard.press("Escape")
        wall.context.set_offline(True)
        expect(wall.page.locator("[data-stale]")).to_be_visible(timeout=20_000)
        save(wall, "stale-1920x1080")


def alarms(kitchen: Any) -> None:
    """An order and an item of another one, cancelled on the wall."""
    from playwright.sync_api import expect

    with kitchen.wall() as wall:
        orders = kitchen.client.stored(status="RECEIVED")
        kitchen.client.move(orders[0]["id"], "CANCELLED")
        kitchen.client.move_item(orders[1]["id"], "B-1", "CANCELLED")
        expect(wall.page.locator(".ticket--cancelled")).to_be_visible()
        expect(wall.page.locator(".ticket:not(.ticket--cancelled) .item--alarm")).to_be_visible()
        save(wall, "alarms-1920x1080")


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def save(wall: Any, name: str) -> None:
    """A PNG of what the page shows; with pngquant there, of a palette, which is a third of the size."""
    page = wall.page
    page.keyboard.press("Shift")  # Any key turns the sound on, and so its button goes.
    page.evaluate("document.querySelector('[data-flash]')?.remove()")
    page.evaluate("document.fonts.ready.then(() => 0)")
    path = HERE / f"{name}.png"
    page.screenshot(path=path)
    if quantise := shutil.which("pngquant"):
        subprocess.run([quantise, "--nofs", "--force", "--output", path, "160", path], check=True)
    sys.stdout.write(f"docs/screenshots/{name}.png\n")


if __name__ == "__main__":
    main()
