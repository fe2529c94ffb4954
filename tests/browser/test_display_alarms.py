"""What was cancelled or changed stays and rings until somebody has seen it."""

import pytest
from playwright.sync_api import expect

from tests.browser.walls import TWO, WallKitchen

pytestmark = pytest.mark.usefixtures("empty")


def test_a_cancelled_order_stays_struck_through_until_seen(kitchen: WallKitchen) -> None:
    order = kitchen.order("#8", items=TWO)
    with kitchen.wall("expo-1") as wall, kitchen.wall("expo-2") as other:
        expect(wall.ticket(order)).to_be_visible()
        wall.listen()

        kitchen.client.move(order["id"], "CANCELLED")

        wall.expect_state(order, "cancelled")
        expect(wall.ticket(order)).to_contain_text("Cancelled")
        decoration = wall.item(order, "Hawaii").locator(".item__name")
        expect(decoration).to_have_css("text-decoration-line", "line-through")
        assert wall.sounds() == ["cancelled"]

        wall.foot(order).click()

        expect(wall.ticket(order)).to_have_count(0)
        expect(other.ticket(order)).to_have_count(0)


def test_what_was_cancelled_on_another_page_rings_and_is_counted(kitchen: WallKitchen) -> None:
    kitchen = kitchen.beside("turned")
    kitchen.rush()
    last = max(kitchen.client.stored(status="RECEIVED"), key=lambda order: order["dueAt"])
    with kitchen.wall() as wall:
        expect(wall.ticket(last)).to_have_count(0)
        wall.listen()

        kitchen.client.move(last["id"], "CANCELLED")

        expect(wall.page.locator("[data-off]")).to_contain_text("1 cancelled or changed")
        assert wall.sounds() == ["cancelled"]


def test_a_cancelled_item_is_acknowledged_by_a_touch(kitchen: WallKitchen) -> None:
    order = kitchen.order("#9", items=TWO)
    with kitchen.wall() as wall:
        expect(wall.ticket(order)).to_be_visible()
        kitchen.client.move_item(order["id"], "B-1", "CANCELLED")
        expect(wall.item(order, "Hawaii Burger")).to_contain_text("Cancelled")

        wall.item(order, "Hawaii Burger").locator("button").click()

        expect(wall.item(order, "Hawaii Burger")).to_have_count(0)
        expect(wall.item(order, "Sushi Set Large")).to_be_visible()


def test_an_amendment_rings_on_every_wall_until_seen_on_one(kitchen: WallKitchen) -> None:
    order = kitchen.order("#12", items=TWO)
    with kitchen.wall("expo-1") as wall, kitchen.wall("expo-2") as other:
        for page in (wall, other):
            expect(page.ticket(order)).to_be_visible()
        wall.listen()

        kitchen.client.call(
            "PATCH", f"/orders/{order['id']}/items/B-1", {"quantity": 3, "note": "No onion, no egg"}
        )

        for page in (wall, other):
            strip = page.item(order, "Hawaii Burger").locator(".changed")
            expect(strip).to_contain_text("Changed")
            expect(strip).to_contain_text("2 → 3")
            expect(strip).to_contain_text("No onion")
            expect(page.foot(order)).to_contain_text("Changed: seen")
        assert wall.sounds() == ["amended"]

        # The number and Enter press the foot: first it is seen, only then bumped.
        wall.press(f"{wall.number(order)}⏎")

        for page in (wall, other):
            expect(page.ticket(order).locator(".changed")).to_have_count(0)
            expect(page.item(order, "Hawaii Burger")).to_contain_text("No onion, no egg")
            page.expect_state(order, "received")

        kitchen.client.call("PATCH", f"/orders/{order['id']}", {"note": "Ring once"})
        expect(other.ticket(order).locator(".ticket__changed")).to_contain_text("New note")
        other.foot(order).click()
        expect(wall.ticket(order).locator(".changed")).to_have_count(0)
        assert kitchen.client.order(order["id"])["status"] == "RECEIVED"
        assert wall.complaints == [] and other.complaints == []
