"""The board for couriers: numbers, no names, none of them cut."""

import re

from playwright.sync_api import expect

from tests.browser.walls import ONE, WallKitchen


def test_couriers_find_their_number_and_no_names(kitchen: WallKitchen) -> None:
    order = kitchen.order("#417", items=ONE)
    with kitchen.wall("pickup-1", "--board", "pickup", path="/pickup/") as wall:
        expect(wall.page.locator(".half--preparing")).to_contain_text("#417")
        kitchen.client.move(order["id"], "READY")
        expect(wall.page.locator(".half--ready")).to_contain_text("#417")
        expect(wall.page.locator(".half--preparing")).not_to_contain_text("#417")
        assert order["customer"]["name"] not in wall.page.content()
        assert wall.complaints == []


def test_numbers_that_do_not_fit_take_turns_and_none_is_cut(kitchen: WallKitchen) -> None:
    for number in range(24):
        kitchen.order(f"{'W' if number % 3 else 'FOODORA'}-{number + 100}", items=ONE)
    phone = {"width": 390, "height": 844}
    try:
        with kitchen.wall("pickup-1", "--board", "pickup", path="/pickup/", viewport=phone) as wall:
            expect(wall.page.locator(".half--preparing [data-more]")).to_have_text(re.compile(r"^1/[2-9]$"))
            cut = """() => {
                const list = document.querySelector(".half--preparing [data-numbers]");
                const bottom = list.getBoundingClientRect().bottom;
                const shown = [...list.children].filter((each) => each.offsetParent);
                return [shown.length, shown.filter((each) => each.getBoundingClientRect().bottom > bottom).length];
            }"""
            shown, over = wall.page.evaluate(cut)
            assert shown > 1
            assert over == 0
    finally:
        kitchen.clear()
