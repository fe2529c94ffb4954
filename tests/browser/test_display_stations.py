"""Stations see and touch their own; orders for later wait; sounds that are blocked say so."""

import pytest
from playwright.sync_api import expect

from tests.browser.walls import WallKitchen

pytestmark = pytest.mark.usefixtures("empty")
MIXED = [
    {"plu": "G-1", "name": "Hawaii Burger", "quantity": 1},
    {"plu": "S-1", "name": "Sushi Set Large", "quantity": 2},
    {"plu": "G-2", "name": "Fries", "quantity": 1},
]
STATIONS = """
from kitchen_display.tests.factories import station
from orders.tests.factories import kitchen
station("grill", "G-", of=kitchen("stations"))
station("sushi", "S-", of=kitchen("stations"))
"""


@pytest.fixture(scope="module")
def kitchen(kitchen: WallKitchen) -> WallKitchen:
    kitchen.stack.manage("shell", "--no-imports", "-c", STATIONS)
    return kitchen


def test_a_station_sees_and_bumps_its_own_items(kitchen: WallKitchen) -> None:
    order = kitchen.order("#1", items=MIXED)
    with kitchen.wall("grill-1", "--station", "grill") as grill, kitchen.wall("expo-1") as expo:
        expect(grill.ticket(order)).to_contain_text("Hawaii Burger")
        expect(grill.ticket(order)).not_to_contain_text("Sushi Set Large")
        expect(grill.ticket(order)).to_contain_text("1 item at other stations")
        expect(expo.ticket(order).locator(".owes")).to_contain_text("Grill 2")

        grill.foot(order).click()

        expect(grill.foot(order)).to_have_text("Undo")
        expect(expo.item(order, "Fries")).to_contain_text("Ready")
        expect(expo.ticket(order).locator(".owes")).to_have_text("Sushi 2")
        expo.expect_state(order, "preparing")

        grill.page.wait_for_timeout(800)  # a second touch at once would be taken for half of a double touch
        grill.foot(order).click()

        expect(expo.ticket(order).locator(".owes")).to_contain_text("Grill 2")
        assert grill.complaints == [] and expo.complaints == []


def test_a_bumped_ticket_leaves_its_station_when_undo_has_ended(kitchen: WallKitchen) -> None:
    order = kitchen.order("#2", items=MIXED)
    with kitchen.wall("grill-1", "--station", "grill") as grill:
        grill.foot(order).click()
        expect(grill.foot(order)).to_have_text("Undo")
        expect(grill.ticket(order)).to_have_count(0, timeout=12_000)
        expect(grill.page.get_by_text("No open orders")).to_be_visible()


def test_an_order_for_later_waits_in_the_rail_until_somebody_starts_it(kitchen: WallKitchen) -> None:
    order = kitchen.order("#3", minutes=90, items=MIXED)
    with kitchen.wall("expo-1") as wall:
        expect(wall.page.locator(".later__one")).to_contain_text("#3")
        expect(wall.ticket(order)).to_have_count(0)

        wall.page.locator("[data-open-panel=later]").click()
        wall.page.locator("#later").get_by_role("button", name="Start now").click()

        wall.expect_state(order, "preparing")
        expect(wall.page.locator(".later__one")).to_have_count(0)
        assert wall.complaints == []


def test_all_day_counts_agree_with_the_tickets(kitchen: WallKitchen) -> None:
    for number in range(3):
        kitchen.order(f"#{number}", items=MIXED)
    with kitchen.wall("expo-1") as wall:
        expect(wall.page.locator(".grid .ticket")).to_have_count(3)
        wall.press("/")
        row = wall.page.locator(".allday tr").filter(has_text="Sushi Set Large")
        expect(row.locator("td").last).to_have_text("6")


def test_blocked_sound_shows_a_button_and_a_touch_turns_it_on(kitchen: WallKitchen) -> None:
    with kitchen.wall("expo-1") as wall:
        button = wall.page.locator("[data-unblock]")
        expect(button).to_be_visible()
        kitchen.order("#5", items=MIXED)
        expect(wall.page.locator("[data-flash]")).to_be_visible()

        button.click()

        expect(button).to_be_hidden()


def test_new_cancelled_amended_and_late_sound_different(kitchen: WallKitchen) -> None:
    """Each plays its own sequence of pitches."""
    listen = """() => {
      window.pitches = [];
      const make = AudioContext.prototype.createOscillator;
      AudioContext.prototype.createOscillator = function () {
        const tone = make.call(this);
        const start = tone.start.bind(tone);
        tone.start = (at) => { pitches.push(tone.frequency.value); start(at); };
        return tone;
      };
    }"""
    with kitchen.wall("expo-1") as wall:
        wall.page.locator("[data-unblock]").click()
        expect(wall.page.locator("[data-unblock]")).to_be_hidden()
        wall.page.evaluate(listen)
        wall.page.locator("[data-hold]").focus()
        wall.press("⏎")
        wall.page.locator("[data-try-sounds]").click()
        tunes = [659, 880, 740, 494, 330, 587, 880, 587, 880, 392, 392, 392, 392]
        wall.page.wait_for_function("(most) => pitches.length >= most", arg=len(tunes))
        assert wall.page.evaluate("pitches") == tunes


def test_the_screen_is_kept_on_within_its_hours(kitchen: WallKitchen) -> None:
    stub = """(() => {
      window.locks = [];
      const request = async (kind) => {
        locks.push(kind);
        return { addEventListener() {}, async release() { locks.push("released"); } };
      };
      Object.defineProperty(navigator, "wakeLock", { value: { request } });
    })()"""
    within = """async (cases) => {
      const { within } = await import("/static/kitchen_display/js/wake.js");
      return cases.map((hours) => within(...hours));
    }"""
    cases = [
        ("08:00", "23:00", "07:59"),
        ("08:00", "23:00", "08:00"),
        ("08:00", "23:00", "23:00"),
        ("17:00", "02:00", "01:30"),
        ("17:00", "02:00", "16:00"),
        ("", "", "04:00"),
    ]
    with kitchen.wall("expo-1") as wall:
        wall.page.add_init_script(stub)
        wall.page.reload()
        wall.page.wait_for_function("window.locks?.length")
        assert wall.page.evaluate("locks") == ["screen"]
        assert wall.page.evaluate(within, cases) == [False, True, False, True, False, True]


def test_an_empty_wall_promises_nothing_while_it_is_not_confirmed(kitchen: WallKitchen) -> None:
    with kitchen.wall("expo-1") as wall:
        empty = wall.page.get_by_text("No open orders")
        expect(empty).to_be_visible()
        wall.context.set_offline(True)
        # Due after 5 s at most, which the page's own diary shows in test_display_live.
        expect(wall.page.locator("[data-stale]")).to_be_visible(timeout=15_000)
        expect(empty).to_be_hidden()
