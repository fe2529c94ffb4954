"""The wall never shows old data without saying so: what happens when the network, live, or Valkey goes away and returns."""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from core.addresses import valkey_folder
from core.env import PROJECT_ROOT
from huuva.ops.embedded.process import find
from huuva.ops.embedded.valkey import ensure_valkey
from tests.browser.walls import ONE, Wall, WallKitchen
from tests.home import make_home, remove_home

# The service worker has the page and all files that it has loaded.
KEPT = """async () => {
    const files = performance.getEntriesByType("resource").map((one) => one.name).filter((name) => /[/]static[/]/.test(name));
    const cache = await caches.open("huuva-display-1");
    const found = await Promise.all([location.pathname, ...files].map((file) => cache.match(file)));
    return files.length > 0 && found.every(Boolean);
}"""
pytestmark = pytest.mark.usefixtures("empty")


@pytest.fixture(scope="module")
def own_valkey(browser: Browser, live_stack: Any) -> Iterator[WallKitchen]:
    """A kitchen whose web and live have a Valkey of their own, which may be killed."""
    home = make_home()
    try:
        with live_stack.beside(home) as stack:
            yield WallKitchen(stack, browser, "valkey")
    finally:
        remove_home(home)


def kill_valkey(kitchen: WallKitchen) -> None:
    (server,) = find("valkey-server", valkey_folder(kitchen.stack.home))
    server.kill()
    server.wait(10)


def expect_state(wall: Wall, state: str) -> None:
    expect(wall.page.locator("body")).to_have_attribute("data-state", state)


def equals_server(wall: Wall, kitchen: WallKitchen, seconds: float) -> None:
    """The wall shows what the server has, within so many seconds."""
    stored = kitchen.open_states()
    deadline = time.monotonic() + seconds
    while wall.states() != stored and time.monotonic() < deadline:
        wall.page.wait_for_timeout(50)
    assert wall.states() == stored


# --- the network -----------------------------------------------------------------------------------------------------


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
        stored = kitchen.open_states()
        expect(wall.page.locator("[data-stale]")).to_be_visible()
        expect(wall.page.locator("[data-stale-at]")).to_have_text(re.compile(r"\d\d[.:]\d\d[.:]\d\d"))
        wall.page.wait_for_timeout(int(max(0.0, 10 - (time.monotonic() - cut)) * 1000))

        before = len(wall.requests)
        wall.context.set_offline(False)
        equals_server(wall, kitchen, 3)
        expect(wall.page.locator("[data-stale]")).to_be_hidden()
        expect_state(wall, "live")

        # By the page's own account: covered within 5 s of the last confirmation, whole within 3 s of the return.
        (stale,) = [entry for entry in wall.diary("state") if entry["state"] == "stale"]
        assert stale["unconfirmed"] <= 5000
        back = wall.diary("online")[-1]["at"]
        whole = [board for board in wall.diary("board", back) if board["states"] == stored]
        assert whole and whole[0]["at"] - back <= 3000
        # Nor does a wall that comes back ask more than it must.
        assert len(wall.requests) - before <= 6, wall.requests[before:]


def test_an_answer_that_is_lost_on_its_way_comes_again(kitchen: WallKitchen) -> None:
    lose = """() => {
      const text = Response.prototype.text;
      Response.prototype.text = function () {
        Response.prototype.text = text;
        return Promise.reject(new Error("cut off"));
      };
    }"""
    with kitchen.wall() as wall:
        wall.page.evaluate(lose)
        order = kitchen.order("#1", items=ONE)
        expect(wall.ticket(order)).to_be_visible()
        assert wall.page.evaluate("huuva.live.counts.failed") == 1


def test_no_older_board_is_painted_over_a_newer_one(kitchen: WallKitchen) -> None:
    """The answer to a bump is held up on its way; meanwhile another screen moves on, and this one shows it."""
    first, second = (kitchen.order(f"#{number}", items=ONE) for number in (1, 2))
    with kitchen.wall() as wall:
        held: list[Any] = []

        def hold(route: Any) -> None:
            held.append((route, route.fetch()))

        wall.page.route("**/display/bump", hold)
        wall.foot(first).click()
        while not held:
            wall.page.wait_for_timeout(20)
        kitchen.client.move(second["id"], "PREPARING")
        wall.expect_state(second, "preparing")

        route, answer = held[0]
        route.fulfill(response=answer)
        # Its board is of before; it is fetched again, and nothing goes back in between.
        wall.expect_state(first, "ready")
        expect(wall.foot(first)).to_have_text("Undo")
        shown = [board["states"][second["id"]] for board in wall.diary("board")]
        assert shown[shown.index("preparing") :].count("received") == 0
        assert wall.states() == kitchen.open_states()


def test_a_bump_needs_no_second_request_for_its_own_hint(kitchen: WallKitchen) -> None:
    orders = [kitchen.order(f"#{number}", items=ONE) for number in range(4)]
    for screen in ("expo-1", "expo-2"):
        kitchen.paired(screen)
    with kitchen.wall() as wall, kitchen.wall("expo-2") as other:
        # The pairings are news to all screens, which ask for the set-up a while later: not what is counted here.
        expect(wall.ticket(kitchen.order("#5", items=ONE))).to_be_visible()
        wall.page.wait_for_function("() => huuva.live.counts.setups === 0")
        equals_server(wall, kitchen, 5)
        before = len(wall.requests)
        for order in orders:
            hints = wall.page.evaluate("huuva.live.counts.hints")
            wall.foot(order).click()
            wall.expect_state(order, "ready")
            other.expect_state(order, "ready")
            wall.page.wait_for_function(f"huuva.live.counts.hints > {hints}")
        requests = [request.split("/display/")[1] for request in wall.requests[before:]]
        # That order #5 was seen is sent once, at whatever time.
        assert [each for each in requests if not each.startswith("board?seen=")] == ["bump"] * 4
        assert wall.states() == kitchen.open_states()


def test_a_finger_that_rests_on_the_wall_does_not_hold_it_up(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        wall.page.mouse.move(300, 300)
        wall.page.mouse.down()
        order = kitchen.order("#1", items=ONE)
        expect(wall.ticket(order)).to_be_visible()
        wall.page.mouse.up()


def test_the_way_back_to_the_wall_shows_no_old_board(kitchen: WallKitchen) -> None:
    gone = kitchen.order("#1", items=ONE)
    with kitchen.wall() as wall:
        expect(wall.ticket(gone)).to_be_visible()
        wall.page.goto("/display/paper")
        kitchen.client.move(gone["id"], "PICKED_UP")
        order = kitchen.order("#2", items=ONE)
        wall.page.go_back()
        expect(wall.ticket(order)).to_be_visible()
        assert all(gone["id"] not in board["states"] for board in wall.diary("board"))
        expect_state(wall, "live")


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
        requests = [request for request in wall.requests[before:] if "/display/" in request]
        assert len(requests) <= changes
        assert wall.complaints == []


# --- live and Valkey -------------------------------------------------------------------------------------------------


def test_a_stream_is_renewed_before_its_token_ends_and_nobody_sees_it(kitchen: WallKitchen) -> None:
    script = (PROJECT_ROOT / "static/kitchen_display/js/stream.js").read_text()
    hurried = re.sub(r"const RENEW_MS = \d+;", "const RENEW_MS = 800;", script)
    assert hurried != script
    opened: list[str] = []
    with kitchen.wall() as wall:
        page = wall.page
        page.route(
            "**/js/stream.js*", lambda route: route.fulfill(body=hurried, content_type="text/javascript")
        )
        page.on("request", lambda request: opened.append(request.url) if "/streams?" in request.url else None)
        page.reload()
        expect_state(wall, "live")
        page.evaluate(
            """() => {
                window.states = [];
                const note = () => window.states.push(document.body.dataset.state);
                new MutationObserver(note).observe(document.body, { attributeFilter: ["data-state"] });
            }"""
        )
        before = len(opened)
        kitchen.order("#RENEWED", items=ONE)
        deadline = time.monotonic() + 20
        while len(opened) < before + 3 and time.monotonic() < deadline:
            page.wait_for_timeout(100)

        assert len(opened) >= before + 3
        equals_server(wall, kitchen, 5)
        assert page.evaluate("window.states") == []


def test_without_the_live_process_the_wall_polls_and_then_streams_again(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        kitchen.stack.kill_live()
        try:
            kitchen.order("#1", items=ONE)
            equals_server(wall, kitchen, 5)
            expect_state(wall, "polling")
            expect(wall.page.locator("[data-stale]")).to_be_hidden()
        finally:
            kitchen.stack.start_live()
        expect_state(wall, "live")
        kitchen.order("#2", items=ONE)
        equals_server(wall, kitchen, 2)
        assert not [entry for entry in wall.diary("state") if entry["state"] == "stale"]


def test_without_valkey_the_wall_polls_and_then_streams_again(own_valkey: WallKitchen) -> None:
    kitchen = own_valkey
    with kitchen.wall() as wall:
        kill_valkey(kitchen)
        try:
            order = kitchen.order("#1", items=ONE)
            expect(wall.ticket(order)).to_be_visible()
            expect_state(wall, "polling")
            wall.foot(order).click()
            wall.expect_state(order, "ready")
            equals_server(wall, kitchen, 5)
        finally:
            ensure_valkey(kitchen.stack.home)
        expect_state(wall, "live")
        hints = wall.page.evaluate("huuva.live.counts.hints")
        order = kitchen.order("#2", items=ONE)
        expect(wall.ticket(order)).to_be_visible()
        wall.page.wait_for_function("(before) => huuva.live.counts.hints > before", arg=hints)
        assert not [entry for entry in wall.diary("state") if entry["state"] == "stale"]


# --- revoked ---------------------------------------------------------------------------------------------------------


def expect_nothing(page: Page, seconds: float = 5) -> None:
    expect(page.locator("[data-revoked]")).to_be_visible(timeout=seconds * 1000)
    expect(page.locator(".ticket")).to_have_count(0)


def test_a_revoked_screen_shows_nothing_within_5_seconds(kitchen: WallKitchen) -> None:
    kitchen.order("#5", items=ONE)
    with kitchen.wall("short-lived") as wall:
        kitchen.revoke("short-lived")
        expect_nothing(wall.page)


def test_a_revoked_screen_shows_nothing_also_without_the_live_process(kitchen: WallKitchen) -> None:
    with kitchen.wall("short-lived-2") as wall:
        kitchen.stack.kill_live()
        try:
            expect_state(wall, "polling")
            kitchen.revoke("short-lived-2")
            expect_nothing(wall.page)
        finally:
            kitchen.stack.start_live()


def test_a_revoked_screen_shows_nothing_also_without_valkey(own_valkey: WallKitchen) -> None:
    with own_valkey.wall("short-lived-3") as wall:
        kill_valkey(own_valkey)
        try:
            expect_state(wall, "polling")
            own_valkey.revoke("short-lived-3")
            expect_nothing(wall.page)
        finally:
            ensure_valkey(own_valkey.stack.home)


# --- the server down, and couriers -----------------------------------------------------------------------------------


def test_a_wall_reloads_once_after_an_upgrade(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        loads: list[str] = []
        wall.page.on("framenavigated", lambda frame: loads.append(frame.url))

        def upgraded(route: Any) -> None:
            answer = route.fetch()
            route.fulfill(
                response=answer, body=answer.text().replace('data-settings="', 'data-settings="new ')
            )

        wall.page.route("**/display/board*", upgraded)
        order = kitchen.order("#1", items=ONE)
        expect(wall.ticket(order)).to_be_visible()
        # The page is the old one still (from a cache, or from a worker of web that ends soon): it goes on with that.
        for number in (2, 3):
            order = kitchen.order(f"#{number}", items=ONE)
            expect(wall.ticket(order)).to_be_visible()
        assert len(loads) == 1


def test_the_paper_page_and_the_last_board_open_with_the_server_down(kitchen: WallKitchen) -> None:
    order = kitchen.order("#88", items=ONE, note="Ring the bell")
    with kitchen.wall(service_workers="allow") as wall:
        expect(wall.ticket(order)).to_be_visible()
        wall.page.evaluate("navigator.serviceWorker.ready")
        is_cached = (
            "async () => Boolean(await (await caches.open('huuva-display-1')).match('/display/paper'))"
        )
        wall.page.wait_for_function(is_cached)
        wall.page.reload()  # so that the worker has the page's files, too
        expect(wall.page.locator("body")).to_have_attribute("data-state", "live")
        wall.page.wait_for_function(KEPT)

        kitchen.stack.stop_web()
        try:
            wall.page.goto("/display/paper")
            assert wall.page.evaluate("[...document.styleSheets].every(sheet => sheet.cssRules.length > 0)")
            expect(wall.page.locator(".slip").filter(has_text="#88")).to_contain_text("Ring the bell")
            wall.page.goto("/display/")
            expect(wall.ticket(order)).to_be_visible()
            expect(wall.page.locator("[data-stale]")).to_be_visible(timeout=6000)
            # The time of that board, not of the epoch.
            shown = wall.page.locator("[data-stale-at]").inner_text()
            here = datetime.now(ZoneInfo("Europe/Helsinki"))
            assert shown[:2] in {f"{here - timedelta(minutes=minutes):%H}" for minutes in (0, 5)}
        finally:
            kitchen.stack.start_web()
        expect(wall.page.locator("[data-stale]")).to_be_hidden(timeout=10_000)
