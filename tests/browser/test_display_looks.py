"""The wall is legible from 3 m, nothing on it is cut, and everything on it can be touched."""

import pytest
from playwright.sync_api import expect

from tests.browser.measures import (
    CONTRAST,
    CUT,
    LEAST_TYPE,
    NUMBERS_TIMERS_STATES,
    PIXELS_OF_20_MM,
    TARGETS,
    WHOLE_TEXT,
)
from tests.browser.walls import NOTES, Wall, WallKitchen


@pytest.fixture(scope="module")
def kitchen(kitchen: WallKitchen) -> WallKitchen:
    """Forty open orders, one of them cancelled while it was on the wall."""
    kitchen.rush()
    with kitchen.wall() as wall:
        orders = kitchen.client.stored(status="RECEIVED")
        first, second, third, fourth = sorted(orders, key=lambda order: order["dueAt"])[:4]
        expect(wall.ticket(first)).to_be_visible()
        kitchen.client.move(first["id"], "CANCELLED")
        kitchen.client.move(second["id"], "PREPARING")
        kitchen.client.move_item(third["id"], "P-0", "READY")
        kitchen.client.move_item(fourth["id"], "P-0", "CANCELLED")
        wall.expect_state(first, "cancelled")
    return kitchen


def shown(wall: Wall) -> set[str]:
    tickets = wall.page.locator(".grid > .ticket").evaluate_all("all => all.map(one => one.dataset.order)")
    return set(tickets)


def test_twelve_tickets_without_scrolling_and_a_count_of_the_rest(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        on_page = shown(wall)
        assert len(on_page) >= 12
        everything = int(wall.page.locator("[data-part=counts] b").first.inner_text())
        off = int(wall.page.locator("[data-off] b").first.inner_text())
        assert len(on_page) + off == everything
        assert wall.page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert wall.page.evaluate(
            "document.querySelector('.grid').scrollHeight <= document.querySelector('.grid').clientHeight"
        )
        assert wall.complaints == []


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (390, 844)], ids=["wall", "small", "phone"])
def test_nothing_is_cut_on_any_page(kitchen: WallKitchen, size: tuple[int, int]) -> None:
    viewport = {"width": size[0], "height": size[1]}
    with kitchen.wall(viewport=viewport) as wall:
        assert wall.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # A ticket may go on on the next page.
        cut: dict[str, str] = {}
        while True:
            if size[0] > 700:
                assert wall.page.evaluate(CUT) == []
            for order in shown(wall):
                text = " ".join(wall.page.evaluate(WHOLE_TEXT, order).split())
                cut[order] = f"{cut.get(order, '')} {text}"
            following = wall.page.locator(".dock [data-turn='1']")
            if not following.is_visible() or following.is_disabled():
                break
            following.click()
        for order, text in cut.items():
            expected = kitchen.client.order(order)
            for item in expected["items"]:
                if item["status"] != "CANCELLED":
                    assert item["name"] in text and item["note"] in text
                    assert ", ".join(item["allergens"]) in text
            assert expected["note"] in text
        assert len(cut) == wall.page.evaluate("huuva.tickets.count")


def test_no_ticket_is_split_while_all_have_room_whole(kitchen: WallKitchen) -> None:
    kitchen = kitchen.beside("roomy")
    items = [{"plu": f"P-{number}", "name": "Hawaii Burger", "quantity": 1} for number in range(8)]
    for number in range(4):
        kitchen.order(f"#{number}", minutes=number + 1, items=items)
    with kitchen.wall() as wall:
        expect(wall.page.locator(".grid > .ticket")).to_have_count(4)


def test_a_note_longer_than_a_column_is_shown_whole(kitchen: WallKitchen) -> None:
    long_note = " ".join(NOTES * 6)[:1990]
    order = kitchen.order(
        "#999", minutes=0.2, note=long_note, items=[{"plu": "X", "name": "Soup", "quantity": 1}]
    )
    with kitchen.wall() as wall:
        expect(wall.ticket(order)).to_be_visible()
        assert wall.page.evaluate(CUT) == []
        assert " ".join(long_note.split()) in " ".join(wall.ticket(order).inner_text().split())
    kitchen.client.move(order["id"], "PICKED_UP")


def test_numbers_timers_and_states_are_large(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        least = wall.page.evaluate(LEAST_TYPE, NUMBERS_TIMERS_STATES)
        assert all(size >= 32 for size in least.values()), least


def test_every_target_is_20_mm_high(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        for width, height, what in wall.page.evaluate(TARGETS):
            assert min(width, height) >= PIXELS_OF_20_MM, (what, width, height)


@pytest.mark.parametrize("panel", ["", "allday", "later", "settings", "recalls"])
def test_contrast_is_7_to_1(kitchen: WallKitchen, panel: str) -> None:
    with kitchen.wall() as wall:
        if panel:
            wall.page.evaluate("name => document.getElementById(name).showModal()", panel)
        poor = [entry for entry in wall.page.evaluate(CONTRAST) if entry[0] < 7]
        assert poor == []


def test_each_state_has_an_icon_a_word_and_a_colour(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        marks = wall.page.locator(".grid .state").evaluate_all(
            "all => all.map(one => [one.querySelector('use').getAttribute('href'), one.innerText.trim(), getComputedStyle(one).color])"
        )
        kinds = {tuple(mark) for mark in marks}
        assert {word for _, word, _ in kinds} >= {"New", "Cooking", "Cancelled"}
        for part in range(3):
            assert len({kind[part] for kind in kinds}) == len(kinds)


def test_brand_colours_come_without_inline_style(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        assert wall.page.locator(".grid .ticket").first.evaluate(
            "one => one.style.getPropertyValue('--brand')"
        )
        answer = wall.page.request.get("/display/")
        assert "style=" not in answer.text() and "<style" not in answer.text()
        assert "unsafe-inline" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("fi", ["Uusi", "Valmis", "Palauta"]), ("sv", ["Ny", "Klar", "Ta tillbaka"])],
)
def test_the_wall_speaks_the_language_of_the_device(
    kitchen: WallKitchen, language: str, words: list[str]
) -> None:
    with kitchen.wall("expo-other", locale=language) as wall:
        expect(wall.page.locator("html")).to_have_attribute("lang", language)
        text = wall.page.locator("body").inner_text()
        for word in words:
            assert word in text
        assert wall.page.evaluate(CUT) == []


def test_timers_run_on_the_servers_clock(kitchen: WallKitchen) -> None:
    """A device that is an hour wrong shows the same ages, within a second."""
    wrong = (
        "const RealDate = Date; Date.now = () => RealDate.prototype.getTime.call(new RealDate()) + 3600e3;"
    )
    with kitchen.wall() as right, kitchen.wall(path="/display/") as off:
        off.page.add_init_script(wrong)
        off.page.reload()
        expect(off.page.locator("body")).to_have_attribute("data-state", "live")
        read = "[...document.querySelectorAll('.grid .ticket[data-order] .timer')].map(t => [t.closest('.ticket').dataset.order, t.dataset.came, t.querySelector('[data-age]').textContent])"
        pairs = zip(right.page.evaluate(read), off.page.evaluate(read), strict=True)
        for (order, _, first), (same, _, second) in pairs:
            assert order == same
            assert abs(_seconds(first) - _seconds(second)) <= 1


def _seconds(age: str) -> int:
    minutes, seconds = age.split(":")
    return int(minutes) * 60 + int(seconds)
