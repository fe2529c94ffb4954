"""The wall in a real browser: what cooks do to tickets, and what they see of it on every screen."""

import pytest
from playwright.sync_api import expect

from tests.browser.measures import CONTRAST, CUT
from tests.browser.walls import TWO, WallKitchen

pytestmark = pytest.mark.usefixtures("empty")


def test_an_order_posted_over_http_appears_on_the_wall(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        expect(wall.page.get_by_text("No open orders")).to_be_visible()

        order = kitchen.order("#417", items=TWO, note="Ring the bell")

        expect(wall.ticket(order)).to_be_visible()
        expect(wall.page.get_by_text("No open orders")).to_be_hidden()
        for text in ("#417", "New", "Ring the bell", "Milk", "No onion", "Hawaii Burger", "Sushi Set Large"):
            expect(wall.ticket(order)).to_contain_text(text)
        assert wall.complaints == []


def test_a_bump_on_one_screen_is_seen_on_the_other(kitchen: WallKitchen) -> None:
    order = kitchen.order("#1", items=TWO)
    with kitchen.wall("expo-1") as mine, kitchen.wall("expo-2") as other:
        mine.item(order, "Hawaii Burger").locator("button").click()
        expect(other.item(order, "Hawaii Burger")).to_contain_text("Ready")
        other.expect_state(order, "preparing")

        mine.foot(order).click()

        other.expect_state(order, "ready")
        history = kitchen.client.order(order["id"])["statusHistory"]
        assert history[-1]["actor"] == "screen:expo-1"
        assert mine.complaints == [] and other.complaints == []


def test_undo_appears_in_place_of_the_bumped_ticket(kitchen: WallKitchen) -> None:
    order = kitchen.order("#2", items=TWO)
    with kitchen.wall() as wall:
        wall.foot(order).click()
        wall.expect_state(order, "ready")
        expect(wall.foot(order)).to_have_text("Undo")

        wall.page.wait_for_timeout(800)  # a second touch at once would be taken for half of a double touch
        wall.foot(order).click()

        wall.expect_state(order, "received")
        expect(wall.foot(order)).to_contain_text("Ready")
        assert kitchen.client.order(order["id"])["status"] == "RECEIVED"


def test_a_double_touch_counts_once(kitchen: WallKitchen) -> None:
    order = kitchen.order("#3", items=TWO)
    with kitchen.wall() as wall:
        wall.foot(order).dblclick()
        wall.expect_state(order, "ready")
        expect(wall.foot(order)).to_have_text("Undo")
        assert kitchen.client.order(order["id"])["version"] == 2


def test_what_is_left_out_says_no_in_a_colour_of_its_own(kitchen: WallKitchen) -> None:
    modifiers = [
        {"name": "tomato", "quantity": 0},
        {"name": "Menu", "quantity": 1, "modifiers": [{"name": "salt", "removed": True}]},
        {"name": "egg", "quantity": 2},
    ]
    item = {"plu": "B-1", "name": "Hawaii Burger", "quantity": 1, "modifiers": modifiers}
    order = kitchen.order("#4", items=[item])
    cancelled = kitchen.order("#5", items=[item, {**item, "plu": "B-2"}])
    with kitchen.wall() as wall:
        mods = wall.item(order, "Hawaii Burger").locator(".mod")
        expect(mods).to_have_text(["NO tomato", "Menu", "NO salt", "2× egg"])
        without = wall.item(order, "Hawaii Burger").locator(".mod--without")
        expect(without).to_have_count(2)
        colour = "one => getComputedStyle(one).color"
        colours = {without.nth(n).evaluate(colour) for n in range(2)}
        assert colours.isdisjoint(mods.nth(n).evaluate(colour) for n in (1, 3))
        kitchen.client.move_item(cancelled["id"], "B-1", "CANCELLED")
        expect(wall.ticket(cancelled).locator(".item--alarm")).to_be_visible()
        poor = [entry for entry in wall.page.evaluate(CONTRAST) if entry[0] < 7]
        assert poor == []
        assert wall.page.evaluate(CUT) == []
        for density in range(7):
            wall.page.locator(".grid").evaluate("(grid, n) => { grid.dataset.density = n; }", str(density))
            assert {without.nth(n).evaluate(colour) for n in range(2)} == colours
    with kitchen.wall("expo-1", locale="fi") as wall:
        expect(wall.item(order, "Hawaii Burger").locator(".mod").first).to_have_text("EI tomato")


PLACES = """Object.fromEntries([...document.querySelectorAll(".grid > .ticket")]
  .map(t => [t.dataset.order, t.style.left + " " + t.style.top]))"""


def test_a_bumped_ticket_keeps_its_place_and_is_one_undo(kitchen: WallKitchen) -> None:
    first, second, third = (kitchen.order(f"#{20 + n}", minutes=2 + n, items=TWO) for n in range(3))
    with kitchen.wall() as wall:
        before = wall.page.evaluate(PLACES)
        box = wall.foot(first).bounding_box()
        assert box is not None
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        wall.page.mouse.click(*middle)
        wall.expect_state(first, "ready")
        wall.page.mouse.click(*middle)  # a second touch meets nothing else
        assert wall.page.evaluate(PLACES) == before
        for order in (second, third):
            assert kitchen.client.order(order["id"])["status"] == "RECEIVED"

        wall.page.wait_for_timeout(800)
        wall.item(first, "Sushi Set Large").click()

        wall.expect_state(first, "received")
        assert wall.page.evaluate(PLACES) == before
        assert wall.complaints == []


def test_a_touch_on_what_has_just_moved_there_does_nothing(kitchen: WallKitchen) -> None:
    first, second = (kitchen.order(f"#{30 + n}", minutes=2 + n, items=TWO) for n in range(2))
    with kitchen.wall() as wall:
        box = wall.foot(first).bounding_box()
        assert box is not None
        kitchen.client.move(first["id"], "PICKED_UP")
        expect(wall.ticket(first)).to_have_count(0)
        wall.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(wall.page.locator("[data-messages]")).to_contain_text("Touch again")
        assert kitchen.client.order(second["id"])["version"] == 1


def test_undo_of_an_item_leaves_its_row_as_tall_as_it_was(kitchen: WallKitchen) -> None:
    items = [{**TWO[0], "name": "Double Cheese Bacon Burger with Truffle Mayonnaise"}, TWO[1]]
    order = kitchen.order("#40", items=items)
    with kitchen.wall() as wall:
        height = "e => e.getBoundingClientRect().height"
        before = wall.item(order, "Truffle").evaluate(height)
        wall.item(order, "Truffle").locator("button").click()
        expect(wall.item(order, "Truffle")).to_contain_text("Undo")
        assert wall.item(order, "Truffle").evaluate(height) <= before + 1


def test_the_head_of_a_ticket_does_nothing(kitchen: WallKitchen) -> None:
    order = kitchen.order("#4", items=TWO)
    with kitchen.wall() as wall:
        for part in (".ticket__head", ".slot", ".timer", ".state"):
            wall.ticket(order).locator(part).first.click()
        wall.page.locator(".bar").click(force=True)
        wall.page.wait_for_timeout(300)
        assert kitchen.client.order(order["id"])["version"] == 1


def test_a_number_and_enter_bump_and_zero_recalls(kitchen: WallKitchen) -> None:
    order = kitchen.order("#5", items=TWO)
    with kitchen.wall() as wall:
        number = wall.number(order)
        wall.press(f"{number}⏎")
        wall.expect_state(order, "ready")

        wall.press("0")
        wall.expect_state(order, "received")

        wall.press("998⏎")
        expect(wall.page.locator("[data-messages]")).to_contain_text("998")
        assert wall.complaints == []


def test_a_key_that_bounces_counts_once_and_touches_nothing_else(kitchen: WallKitchen) -> None:
    order, other = kitchen.order("#50", items=TWO), kitchen.order("#51", items=TWO)
    with kitchen.wall() as wall:
        number = wall.number(order)
        wall.item(other, "Sushi Set Large").locator("button").focus()
        wall.press(f"{number}⏎⏎{number}⏎")
        wall.expect_state(order, "ready")
        expect(wall.foot(order)).to_have_text("Undo")
        assert kitchen.client.order(order["id"])["version"] == 2
        assert kitchen.client.order(other["id"])["version"] == 1


def test_a_numpad_without_num_lock_types_numbers(kitchen: WallKitchen) -> None:
    order = kitchen.order("#52", items=TWO)
    arrows = {"1": "End", "2": "ArrowDown", "3": "PageDown", "4": "ArrowLeft", "6": "ArrowRight", "7": "Home"}
    send = """([code, key]) => document.body.dispatchEvent(
      new KeyboardEvent("keydown", { code, key, bubbles: true, cancelable: true }))"""
    with kitchen.wall() as wall:
        for digit in wall.number(order):
            wall.page.evaluate(send, [f"Numpad{digit}", arrows.get(digit, "Clear")])
        wall.page.evaluate(send, ["NumpadEnter", "Enter"])
        wall.expect_state(order, "ready")


def test_keyboard_alone_bumps_and_keeps_its_place(kitchen: WallKitchen) -> None:
    order = kitchen.order("#6", items=TWO)
    with kitchen.wall() as wall:
        wall.item(order, "Sushi Set Large").locator("button").focus()
        wall.press("⏎")
        expect(wall.item(order, "Sushi Set Large")).to_contain_text("Ready")
        focused = wall.page.evaluate("document.activeElement.closest('.item')?.dataset.plu")
        assert focused == "S-1"


def test_the_recall_list_brings_an_order_back(kitchen: WallKitchen) -> None:
    order = kitchen.order("#77", items=TWO)
    with kitchen.wall() as wall:
        kitchen.client.move(order["id"], "PICKED_UP")
        expect(wall.ticket(order)).to_have_count(0)

        wall.press("*")
        line = wall.page.locator("#recalls .recall").filter(has_text="#77")
        line.get_by_role("button").click()

        wall.expect_state(order, "received")
        assert wall.complaints == []


def test_the_slower_cook_sees_who_did_it(kitchen: WallKitchen) -> None:
    order = kitchen.order("#10", items=TWO)
    with kitchen.wall("expo-1") as wall:
        expect(wall.ticket(order)).to_be_visible()
        # The wall has not heard of it yet: what it shows is a moment old.
        wall.page.route("**/display/board", lambda route: route.abort())
        kitchen.client.move(order["id"], "CANCELLED")

        wall.foot(order).click()

        expect(wall.page.locator(".message--refusal")).to_contain_text("Cancelled by")
        wall.page.unroute("**/display/board")
        wall.expect_state(order, "cancelled")
        wall.foot(order).click()


def test_without_scripts_a_bump_is_a_form(kitchen: WallKitchen) -> None:
    order = kitchen.order("#11", items=TWO)
    state = kitchen.paired("expo-1")
    base = kitchen.stack.base_url
    context = kitchen.browser.new_context(base_url=base, storage_state=state, java_script_enabled=False)
    page = context.new_page()
    page.goto("/display/")
    page.locator(f'.ticket[data-order="{order["id"]}"] .item__touch').first.click()
    page.wait_for_url("**/display/")
    expect(page.locator(f'.ticket[data-order="{order["id"]}"]')).to_have_attribute("data-state", "preparing")
    page.locator(f'.ticket[data-order="{order["id"]}"] .foot').click()
    expect(page.locator(f'.ticket[data-order="{order["id"]}"]')).to_have_attribute("data-state", "ready")
    context.close()


def test_settings_open_by_a_long_press_only(kitchen: WallKitchen) -> None:
    with kitchen.wall("expo-2") as wall:
        button = wall.page.locator("[data-hold]")
        button.click()
        expect(wall.page.locator("#settings")).to_be_hidden()

        button.hover()
        wall.page.mouse.down()
        expect(wall.page.locator("#settings")).to_be_visible()
        wall.page.mouse.up()
        wall.page.locator("[name=text_scale]").fill("120")
        wall.page.get_by_role("button", name="Save").click()

        expect(wall.page.locator("body")).to_have_attribute("data-text-scale", "120")
