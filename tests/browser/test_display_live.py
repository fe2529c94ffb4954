"""The wall is never wrong in silence: what happens when the network, or the live process, goes away and returns."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.walls import Wall, WallKitchen

ONE = [{"plu": "B-1", "name": "Hawaii Burger", "quantity": 1}]


@pytest.fixture(scope="module")
def kitchen(browser: Browser, live_stack: Any) -> WallKitchen:
    live_stack.start_live()
    return WallKitchen(live_stack, browser, "streams")


@pytest.fixture(autouse=True)
def empty(kitchen: WallKitchen) -> None:
    kitchen.clear()


def on_wall(wall: Wall) -> dict[str, str]:
    tickets = wall.page.locator(".grid > .ticket").evaluate_all(
        "all => all.map(one => [one.dataset.order, one.dataset.state])"
    )
    return dict(tickets)


def on_server(kitchen: WallKitchen) -> dict[str, str]:
    return {
        order["id"]: status.lower()
        for status in ("RECEIVED", "PREPARING", "READY")
        for order in kitchen.client.stored(status=status)
    }


def equals_server(wall: Wall, kitchen: WallKitchen, seconds: float) -> None:
    """The wall shows what the server has, within so many seconds."""
    wanted = on_server(kitchen)
    deadline = time.monotonic() + seconds
    while on_wall(wall) != wanted and time.monotonic() < deadline:
        wall.page.wait_for_timeout(50)
    assert on_wall(wall) == wanted


def test_a_network_cut_covers_the_wall_and_its_return_makes_it_whole(kitchen: WallKitchen) -> None:
    orders = [kitchen.order(f"#{number}", items=ONE) for number in range(6)]
    with kitchen.wall() as wall:
        equals_server(wall, kitchen, 5)
        wall.context.set_offline(True)
        cut = time.monotonic()
        for number in range(20):
            if number % 4 == 3:
                kitchen.client.move(orders.pop()["id"], "PICKED_UP")
            else:
                orders.append(kitchen.order(f"#{100 + number}", items=ONE))
        expect(wall.page.locator("[data-stale]")).to_be_visible(timeout=6000)
        assert time.monotonic() - cut <= 6
        expect(wall.page.locator("[data-stale-at]")).to_have_text(re.compile(r"\d\d[.:]\d\d[.:]\d\d"))
        wall.page.wait_for_timeout(int(max(0.0, 10 - (time.monotonic() - cut)) * 1000))

        wall.context.set_offline(False)
        equals_server(wall, kitchen, 3)
        expect(wall.page.locator("[data-stale]")).to_be_hidden()


def test_without_the_live_process_the_wall_polls_and_then_streams_again(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        kitchen.stack.stop_live()
        try:
            kitchen.order("#1", items=ONE)
            equals_server(wall, kitchen, 6)
            expect(wall.page.locator("body")).to_have_attribute("data-state", "polling")
            expect(wall.page.locator("[data-stale]")).to_be_hidden()
        finally:
            kitchen.stack.start_live()
        expect(wall.page.locator("body")).to_have_attribute("data-state", "live")
        kitchen.order("#2", items=ONE)
        equals_server(wall, kitchen, 2)


def test_few_requests_for_many_changes(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        before = len(wall.requests)
        changes = 0
        for number in range(10):
            order = kitchen.order(f"#{number}", items=ONE)
            kitchen.client.move(order["id"], "PREPARING")
            kitchen.client.move(order["id"], "READY")
            changes += 3
        equals_server(wall, kitchen, 5)
        wall.page.wait_for_timeout(3500)
        asked = [request for request in wall.requests[before:] if "/display/" in request]
        assert len(asked) <= changes
        assert wall.complaints == []


def test_a_revoked_screen_shows_nothing_within_5_seconds(kitchen: WallKitchen) -> None:
    kitchen.order("#5", items=ONE)
    with kitchen.wall("short-lived") as wall:
        kitchen.stack.manage(
            "shell",
            "--no-imports",
            "-c",
            "from django.utils import timezone; from kitchen_display.models import Screen;"
            "from kitchen_display import hints;"
            "Screen.objects.filter(name='short-lived').update(revoked_at=timezone.now());"
            "hints.publish('streams', hints.SCREENS)",
        )
        expect(wall.page.locator("[data-revoked]")).to_be_visible(timeout=5000)
        expect(wall.page.locator(".ticket")).to_have_count(0)


def test_the_paper_page_and_the_last_board_open_with_the_server_down(kitchen: WallKitchen) -> None:
    order = kitchen.order("#88", items=ONE, note="Ring the bell")
    with kitchen.wall(service_workers="allow") as wall:
        expect(wall.ticket(order)).to_be_visible()
        wall.page.evaluate("navigator.serviceWorker.ready")
        kept = "async () => Boolean(await (await caches.open('huuva-display-1')).match('/display/paper'))"
        wall.page.wait_for_function(kept)
        wall.page.reload()  # so that the worker has the page's files, too
        expect(wall.page.locator("body")).to_have_attribute("data-state", "live")
        wall.page.wait_for_timeout(1500)

        kitchen.stack.stop_web()
        try:
            wall.page.goto("/display/paper")
            expect(wall.page.locator(".slip").filter(has_text="#88")).to_contain_text("Ring the bell")
            wall.page.goto("/display/")
            expect(wall.ticket(order)).to_be_visible()
            expect(wall.page.locator("[data-stale]")).to_be_visible(timeout=6000)
        finally:
            kitchen.stack.start_web()
        expect(wall.page.locator("[data-stale]")).to_be_hidden(timeout=10_000)


def test_couriers_find_their_number_and_no_names(kitchen: WallKitchen) -> None:
    order = kitchen.order("#417", items=ONE)
    with kitchen.wall("pickup-1", "--board", "pickup", path="/pickup/") as wall:
        expect(wall.page.locator(".half--preparing")).to_contain_text("#417")
        kitchen.client.move(order["id"], "READY")
        expect(wall.page.locator(".half--ready")).to_contain_text("#417")
        expect(wall.page.locator(".half--preparing")).not_to_contain_text("#417")
        assert order["customer"]["name"] not in wall.page.content()
        assert wall.complaints == []
