"""Paired screens in real browsers, and the kitchen whose orders they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState, expect

from tests.api.client import Client
from tests.browser.chrome import PATIENCE_MS
from tests.live_stack import LiveStack

WALL = {"width": 1920, "height": 1080}
ONE = [{"plu": "B-1", "name": "Hawaii Burger", "quantity": 1}]
TWO = [
    {"plu": "B-1", "name": "Hawaii Burger", "quantity": 2, "allergens": ["Milk"], "note": "No onion"},
    {"plu": "S-1", "name": "Sushi Set Large", "quantity": 1},
]
NOTES = (
    "No onion please, and cut the burger in half: it is for a small child who does not like anything green.",
    "Allergic to nuts! Use a clean board and new gloves, and call when you are not sure about it. Thank you.",
    "Pack the sauces separately in small cups and leave out all cutlery and napkins; we have our own upstairs.",
)
NAMES = (
    "Hawaii Burger",
    "Sushi Set Large",
    "Double Cheese Bacon Burger with Truffle Mayonnaise",
    "Miso soup",
)


@dataclass
class WallKitchen:
    """A kitchen of its own with an API key, and what its screens are paired with."""

    stack: LiveStack
    browser: Browser
    slug: str
    client: Client = field(init=False)
    states: dict[str, StorageState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = self.stack.issue_key(kitchen=self.slug, rate_limit=0, name=f"wall-{self.slug}")
        self.client = Client(self.stack.base_url, key)

    def paired(self, screen: str, *options: str) -> StorageState:
        """The cookies of a screen, paired once by the link that `manage.py pair_screen` prints."""
        if screen not in self.states:
            path = self.stack.manage("pair_screen", screen, "--kitchen", self.slug, *options).strip()
            context = self.browser.new_context(base_url=self.stack.base_url)
            page = context.new_page()
            answer = page.goto(path)
            assert answer is not None and answer.status == 200, path
            # The page of the link goes on by itself.
            page.wait_for_url(re.compile("/(display|pickup)/$"))
            self.states[screen] = context.storage_state()
            context.close()
        return self.states[screen]

    @contextmanager
    def wall(self, screen: str = "expo-1", *options: str, **more: Any) -> Iterator[Wall]:
        """A page of a paired screen that is live."""
        path = more.pop("path", "/display/")
        more = {"viewport": WALL, "service_workers": "block", "locale": "en", **more}
        context = self.browser.new_context(
            base_url=self.stack.base_url, storage_state=self.paired(screen, *options), **more
        )
        context.set_default_timeout(PATIENCE_MS)
        try:
            wall = Wall(context)
            wall.page.goto(path)
            expect(wall.page.locator("body")).to_have_attribute("data-state", "live")
            yield wall
        finally:
            context.close()

    def beside(self, slug: str) -> WallKitchen:
        """Another kitchen of the same stack."""
        return WallKitchen(self.stack, self.browser, slug)

    def clear(self) -> int:
        """Takes everything off the wall, without an alarm; returns how many orders that were."""
        bumped = 0
        for status in ("RECEIVED", "PREPARING", "READY"):
            for order in self.client.stored(status=status):
                assert self.client.move(order["id"], "PICKED_UP").status == 200
                bumped += 1
        return bumped

    def order(self, display: str, *, minutes: float = 10, **fields: Any) -> dict[str, Any]:
        """A new order that is due in so many minutes."""
        due = datetime.now(UTC) + timedelta(minutes=minutes)
        fields = {"channelOrderDisplayId": display, "channel": "wolt", **fields}
        return self.client.created(pickupTime=due.isoformat(), **fields)

    def open_states(self) -> dict[str, str]:
        """Open orders as the server has them."""
        return {
            order["id"]: status.lower()
            for status in ("RECEIVED", "PREPARING", "READY")
            for order in self.client.stored(status=status)
        }

    def revoke(self, screen: str) -> None:
        self.stack.manage(
            "shell",
            "--no-imports",
            "-c",
            "from kitchen_display import pairing; from kitchen_display.models import Screen;"
            f"assert pairing.revoke(Screen.objects.get(name={screen!r}, kitchen_id={self.slug!r}))",
        )

    def rush(self, orders: int = 40) -> None:
        """Orders of 1 to 12 items, with long notes, allergens and modifiers two deep."""
        for number in range(orders):
            items = [_item(number, position) for position in range(1 + (number * 5) % 12)]
            note = NOTES[number % 3] if number % 2 else ""
            self.order(f"#{100 + number}", minutes=1 + number * 0.4, items=items, note=note)


def _item(order: int, position: int) -> dict[str, Any]:
    number = order * 7 + position
    item: dict[str, Any] = {
        "plu": f"P-{position}",
        "name": NAMES[number % len(NAMES)],
        "quantity": 12 if number % 9 == 0 else 1 + number % 3,
    }
    if number % 8 == 0:
        item["note"] = NOTES[number % 3]
    if number % 5 == 0:
        item["allergens"] = ["Nuts", "Milk", "Gluten"][: 1 + number % 3]
    if number % 3 == 0:
        deeper = {"name": "Extra cheddar", "quantity": 2, "modifiers": [{"name": "Melted", "quantity": 1}]}
        item["modifiers"] = [{"name": "No pickles", "quantity": 1}, deeper]
    return item


# The page's own account of its life, which doesn't depend on when a test looks: {name, at, …}, `at` in ms.
DIARY = """(() => {
  const write = (name, more) => diary.push({ name, at: performance.now(), ...more });
  window.diary = [];
  for (const name of ["online", "offline"]) addEventListener(name, () => write(name));
  document.addEventListener("huuva:state", ({ detail }) => write("state", detail));
  document.addEventListener("huuva:board", () => write("board", {
    states: Object.fromEntries(
      [...document.querySelectorAll(".grid > .ticket")].map((ticket) => [ticket.dataset.order, ticket.dataset.state]),
    ),
  }));
})()"""


class Wall:
    """One page, with everything that the browser complained about."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.add_init_script(DIARY)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(f"{request.method} {request.url}"))

    def _console(self, message: Any) -> None:
        if message.type == "error" or (message.type == "warning" and "Service Worker" not in message.text):
            self.complaints.append(message.text)

    def diary(self, name: str, since: float = 0) -> list[dict[str, Any]]:
        """What the page noted under that name since a moment of its own clock."""
        return [
            entry for entry in self.page.evaluate("diary") if entry["name"] == name and entry["at"] >= since
        ]

    def states(self) -> dict[str, str]:
        """Orders on the first page and their states."""
        tickets = self.page.locator(".grid > .ticket")
        return dict(tickets.evaluate_all("all => all.map(one => [one.dataset.order, one.dataset.state])"))

    def listen(self) -> None:
        """From now on `sounds` has something to say."""
        self.page.evaluate(
            "window.sounds = []; document.addEventListener('huuva:sound', e => sounds.push(e.detail.name))"
        )

    def sounds(self) -> list[str]:
        """Sounds since `listen`."""
        return list(self.page.evaluate("sounds"))

    def ticket(self, order: dict[str, Any]) -> Locator:
        return self.page.locator(f'.grid .ticket[data-order="{order["id"]}"]').first

    def foot(self, order: dict[str, Any]) -> Locator:
        return self.page.locator(f'.grid .ticket[data-order="{order["id"]}"] .foot')

    def item(self, order: dict[str, Any], name: str) -> Locator:
        tickets = self.page.locator(f'.grid .ticket[data-order="{order["id"]}"]')
        return tickets.locator(".item").filter(has_text=name)

    def expect_state(self, order: dict[str, Any], state: str) -> None:
        expect(self.ticket(order)).to_have_attribute("data-state", state)

    def number(self, order: dict[str, Any]) -> str:
        number = self.ticket(order).get_attribute("data-number") or ""
        assert re.fullmatch(r"[0-9]+", number)
        return number

    def press(self, keys: str) -> None:
        """Presses one key after the other; Enter is ⏎."""
        for key in keys:
            self.page.keyboard.press("Enter" if key == "⏎" else key)
