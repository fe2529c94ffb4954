"""The worst evenings: whatever is open, the twelve most urgent orders stand on the first page, and nothing is cut or lost."""

import random
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.measures import (
    CUT,
    LEAST_TEXT,
    LEAST_TYPE,
    NUMBERS_TIMERS_STATES,
    PARTS,
    PIXELS_OF_20_MM,
    SPILLED,
    TARGETS,
)
from tests.browser.mixes import MIXES
from tests.browser.walls import Wall, WallKitchen

EVENINGS = [
    ("uniform", 1),
    ("uniform", 2),
    ("uniform", 3),
    ("largest-first", 1),
    ("largest-first", 2),
    ("all-noted", 1),
    ("monstrous", 1),
]


@pytest.fixture
def evening(request: Any, browser: Browser, live_stack: Any) -> WallKitchen:
    live_stack.start_live()
    mix, seed = request.param
    kitchen = WallKitchen(live_stack, browser, f"{mix}-{seed}")
    for fields in MIXES[mix](random.Random(seed)):
        kitchen.order(**fields)
    return kitchen


def pages(wall: Wall) -> list[list[tuple[str, list[str], str]]]:
    """The parts of tickets on each page; on each, nothing is cut and nothing scrolls."""
    numbers = []
    on = wall.page.locator(".dock [data-turn='1']")
    while True:
        assert wall.page.evaluate(CUT) == []
        assert wall.page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert wall.page.evaluate(
            "(grid => grid.scrollHeight <= grid.clientHeight)(document.querySelector('.grid'))"
        )
        numbers.append([tuple(part) for part in wall.page.evaluate(PARTS)])
        if not on.is_visible() or on.is_disabled():
            return numbers
        on.click()


@pytest.mark.parametrize("evening", EVENINGS, indirect=True, ids=[f"{mix}-{seed}" for mix, seed in EVENINGS])
def test_the_twelve_most_urgent_are_on_the_first_page_uncut(
    evening: WallKitchen,
) -> None:
    orders = sorted(evening.client.stored(status="RECEIVED"), key=lambda order: order["dueAt"])
    assert len(orders) == 40
    urgent = [order["id"] for order in orders]
    with evening.wall() as wall:
        least = wall.page.evaluate(LEAST_TYPE, NUMBERS_TIMERS_STATES)
        assert all(size >= 32 for size in least.values()), least
        assert wall.page.evaluate(LEAST_TEXT) >= 16
        small = [target for target in wall.page.evaluate(TARGETS) if min(target[:2]) < PIXELS_OF_20_MM]
        assert small == []
        shown = pages(wall)
        assert wall.complaints == []
    first = list(dict.fromkeys(order for order, _, _ in shown[0]))
    assert len(first) >= 12
    assert first == urgent[: len(first)]
    # On the later pages what was begun goes on first; then the next ones, as urgent as they are.
    assert list(dict.fromkeys(order for page in shown for order, _, _ in page)) == urgent
    for order in orders:
        parts = [part for page in shown for part in page if part[0] == order["id"]]
        assert [plu for _, plus, _ in parts for plu in plus] == [item["plu"] for item in order["items"]]
        assert sum("Ready" in end for _, _, end in parts) == 1


@pytest.mark.parametrize("evening", [("largest-first", 3)], indirect=True)
def test_a_ticket_continued_on_the_next_page_says_so_and_leads_there(evening: WallKitchen) -> None:
    with evening.wall() as wall:
        part = wall.page.locator(".grid > .ticket", has=wall.page.locator(".ticket__turn")).first
        turn = part.locator(".ticket__turn")
        order = part.get_attribute("data-order")
        begun = sum(len(plus) for one, plus, _ in wall.page.evaluate(PARTS) if one == order)
        expect(turn).to_have_text(f"+ {12 - begun} · Page 2 →")
        turn.click()
        expect(wall.page.locator("[data-pages]")).to_contain_text("2/")
        rest = [plus for one, plus, _ in wall.page.evaluate(PARTS) if one == order]
        assert sum(len(plus) for plus in rest) == 12 - begun
        assert evening.client.order(order)["status"] == "RECEIVED"
        expect(wall.page.locator(f".grid .ticket[data-order='{order}'] .foot")).to_be_visible()


@pytest.mark.parametrize("evening", [("uniform", 4)], indirect=True)
def test_longer_words_are_not_cut_either(evening: WallKitchen) -> None:
    for language in ("fi", "sv"):
        with evening.wall(locale=language) as wall:
            expect(wall.page.locator("html")).to_have_attribute("lang", language)
            for width, height in ((1920, 1080), (1280, 720), (390, 844)):
                wall.page.set_viewport_size({"width": width, "height": height})
                assert wall.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                assert wall.page.evaluate(CUT) == []
                assert wall.page.evaluate(SPILLED) == []
                if width > 700:
                    pages(wall)
                    wall.page.keyboard.press("Home")
