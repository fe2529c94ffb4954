"""Channels in a real browser: the managers' pages, and the wall that pauses its kitchen."""

import hashlib
import hmac
import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chrome import DESK, PHONE, log_in, watched
from tests.browser.walls import WallKitchen

SECRET = "the secret of the shown channel"


@pytest.fixture(scope="module")
def channel(live_stack: Any) -> str:
    """A channel that has sent an order twice, and one for a place that nobody knows. Our id of the first."""
    live_stack.issue_key(kitchen="main")
    live_stack.manage(
        "create_channel_link", "Wolt", "--slug", "shown", "--external-id", "shown-link",
        "--secret", SECRET, "--location", "shown-place=main",
    )  # fmt: skip

    def send(order: str, place: str = "shown-place") -> int:
        body = {
            "_id": order, "channelLink": "shown-link", "location": place, "status": 10,
            "channelOrderId": "T-1", "channelOrderDisplayId": "82", "customer": {"name": "Aino Virtanen"},
            "items": [{"plu": "A", "name": "Soup", "quantity": 2, "price": 990}],
        }  # fmt: skip
        raw = json.dumps(body).encode()
        signature = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "x-server-authorization-hmac-sha256": signature}
        with urlopen(
            Request(f"{live_stack.base_url}/api/channels/deliverect/orders", raw, headers)
        ) as answer:
            return int(answer.status)

    assert send("first") == send("first") == 200
    with pytest.raises(OSError, match="422"):
        send("second", "unknown-place")
    return "shown:first"


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_managers_pages_of_channels(
    browser: Browser, live_stack: Any, manager: tuple[str, str], channel: str, viewport: Any
) -> None:
    with watched(browser, live_stack.base_url, viewport=viewport) as (page, complaints):
        log_in(page, *manager)
        expect(page.get_by_text("has no kitchen: its orders are refused")).to_be_visible()
        page.goto(f"/admin/orders/order/{channel.replace(':', '_3A')}/change/")
        traffic = page.locator("#traffic")
        expect(traffic.get_by_text("Taken")).to_be_visible()
        traffic.scroll_into_view_if_needed()
        page.goto("/admin/integrations/channelmessage/?trouble=yes")
        page.locator("#result_list a").first.click()
        expect(page.get_by_role("button", name="Take in now")).to_be_visible()
        page.get_by_role("button", name="Take in now").click()
        expect(page.get_by_text("No kitchen is set up for the location unknown-place").first).to_be_visible()
        for name in ("channellocation", "channellink"):
            page.goto(f"/admin/integrations/{name}/")
        page.locator("#result_list a", has_text="Wolt").first.click()
        expect(page.locator("[name=secret_text]")).to_be_visible()
        page.goto("/admin/orders/kitchenpace/main/change/")
        expect(page.locator("[name=mode]")).to_be_visible()
        assert complaints == []


def test_a_cook_pauses_the_kitchen_and_another_wall_shows_it(kitchen: WallKitchen) -> None:
    with kitchen.wall("expo-1") as one, kitchen.wall("expo-2") as two:
        one.page.locator("[data-hold=settings]").press("Enter")
        panel = one.page.locator("#settings")
        panel.locator("[name=mode]").scroll_into_view_if_needed()
        panel.locator("[name=mode]").select_option("busy")
        panel.locator("[name=busy_minutes]").fill("25")
        panel.get_by_role("button", name="Tell the channels").click()
        for wall in (one, two):
            expect(wall.page.locator("[data-part=pace]")).to_contain_text("Busy: +25 min")
        one.page.locator("[data-hold=settings]").press("Enter")
        panel.locator("[name=mode]").select_option("paused")
        panel.get_by_role("button", name="Tell the channels").click()
        expect(two.page.locator("[data-part=pace]")).to_contain_text("Paused: no new orders")
