"""A wall runs for weeks: what it has shown and let go must not stay in its memory."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.walls import Wall, WallKitchen

ITEMS = [
    {"plu": f"M-{number}", "name": f"Bowl {number}", "quantity": 1, "note": "No onion"} for number in range(4)
]
WARM_UP, ORDERS = 40, 120


@pytest.fixture
def kitchen(browser: Browser, live_stack: Any) -> WallKitchen:
    live_stack.start_live()
    return WallKitchen(live_stack, browser, "memory")


def heap(wall: Wall) -> int:
    """Bytes in use after a forced collection."""
    session = wall.context.new_cdp_session(wall.page)
    session.send("HeapProfiler.enable")
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return int(used)


def serve(kitchen: WallKitchen, orders: int) -> None:
    """Orders that come, are cooked and picked up; six are open at a time."""
    open_orders: list[str] = []
    for number in range(orders):
        open_orders.append(kitchen.order(f"#{number}", items=ITEMS)["id"])
        if len(open_orders) > 6:
            done = open_orders.pop(0)
            kitchen.client.move_item(done, "M-0", "READY")
            kitchen.client.move(done, "PICKED_UP")
    for rest in open_orders:
        kitchen.client.move(rest, "PICKED_UP")


def test_memory_does_not_grow_with_what_was_sold(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        empty = wall.page.get_by_text("No open orders")
        serve(kitchen, WARM_UP)
        expect(empty).to_be_visible()
        before = heap(wall)

        serve(kitchen, ORDERS)
        expect(empty).to_be_visible()

        assert heap(wall) <= before * 1.2
        assert wall.complaints == []
