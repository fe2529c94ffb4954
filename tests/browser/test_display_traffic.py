"""A wall runs for weeks: an hour of `make demo` passes over it, and neither its memory nor its requests grow."""

from __future__ import annotations

import logging
import os
import threading
import time

from playwright.sync_api import expect

from huuva.ops.simulation.player import Player
from huuva.ops.simulation.rush import plan_rush
from tests.browser.walls import Wall, WallKitchen

MINUTES = 60.0
RATE = 3.0  # as `make demo`: orders a minute at the peak
# The hour is pressed into so many seconds, or more where the stack doesn't take it as fast. Longer is closer to a real
# evening, where changes come one by one.
SECONDS = float(os.environ.get("HUUVA_TRAFFIC_SECONDS", "15"))
log = logging.getLogger(__name__)
ALARMS = ".foot--alarm, .item--alarm button"


def heap(wall: Wall) -> int:
    """Bytes in use after a forced collection."""
    wall.page.evaluate("diary.length = 0")  # ours, not the page's
    session = wall.context.new_cdp_session(wall.page)
    session.send("HeapProfiler.enable")
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return int(used)


def play(kitchen: WallKitchen, wall: Wall, minutes: float, seed: int) -> int:
    """Plays so many minutes of traffic while somebody sees to the alarms; returns how many changes that made."""
    plan = plan_rush(seed, RATE, minutes)
    speed = MINUTES * 60 / SECONDS
    player = Player(
        plan,
        kitchen.stack.base_url,
        kitchen.client.key,
        speed=speed,
        run=f"traffic-{seed}",
        kitchen=kitchen.slug,
    )
    thread = threading.Thread(target=player.play, args=(lambda second: None,))
    thread.start()
    while thread.is_alive():
        wall.page.wait_for_timeout(250)
        acknowledge(wall)
    assert not player.tally.errors, player.tally.errors
    left = kitchen.clear()
    deadline = time.monotonic() + 20
    while wall.page.locator(".grid > .ticket").count() and time.monotonic() < deadline:
        acknowledge(wall)
        wall.page.wait_for_timeout(100)
    expect(wall.page.get_by_text("No open orders")).to_be_visible()
    return len(player.tally.order_ids) + player.tally.moves + left


def acknowledge(wall: Wall) -> None:
    """Touches the first alarm on the wall, if there is one."""
    wall.page.evaluate("alarms => document.querySelector(alarms)?.click()", ALARMS)


def test_an_hour_of_traffic_leaks_no_memory_and_asks_once_a_change(
    kitchen: WallKitchen,
) -> None:
    with kitchen.wall() as wall:
        play(kitchen, wall, MINUTES / 6, seed=1)  # every kind of ticket once
        before, asked_before = heap(wall), len(wall.requests)

        changes = play(kitchen, wall, MINUTES, seed=7)

        after = heap(wall)
        requests = [request for request in wall.requests[asked_before:] if "/display/" in request]
        changes += sum("/display/acknowledge" in request for request in requests)
        figures = (
            f"{changes} changes, {len(requests)} requests ({len(requests) / changes:.2f} for each change), "
            f"heap {before / 1e6:.2f} MB before, {after / 1e6:.2f} MB after"
        )
        log.info(figures)
        assert after <= before * 1.2, figures
        assert len(requests) <= changes, figures
        assert wall.complaints == []
