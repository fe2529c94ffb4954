"""Every page of a screen for everybody: judged by axe, by keyboard alone, without motion, and in three languages."""

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.measures import CUT, SPILLED
from tests.browser.walls import WALL, Wall, WallKitchen

# All rules, also 7:1 for contrast and the size of targets, which axe leaves out unless it is asked.
RULES = {"color-contrast-enhanced": {"enabled": True}, "target-size": {"enabled": True}}
ROOT = Path(__file__).resolve().parent.parent.parent
ITEMS = [
    {"plu": "B-1", "name": "Hawaii Burger", "quantity": 2, "allergens": ["Milk"], "note": "No onion"},
    {
        "plu": "S-1",
        "name": "Sushi Set Large",
        "quantity": 1,
        "modifiers": [{"name": "Wasabi", "quantity": 2}],
    },
    {"plu": "D-1", "name": "Miso soup", "quantity": 1},
]
PANELS = {
    "allday": "/",
    "recalls": "*",
    "later": "[data-open-panel=later]",
    "settings": "[data-hold=settings]",
}


def violations(page: Page) -> list[tuple[str, list[str]]]:
    options = {"resultTypes": ["violations"], "rules": RULES}
    results = Axe().run(page, options=options).response["violations"]
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in results]


@pytest.fixture(scope="module")
def kitchen(kitchen: WallKitchen) -> WallKitchen:
    """Orders in every state: late, due soon, new, cooking, ready, both kinds of cancellation, and one for later."""
    orders = [
        kitchen.order(f"#{500 + n}", minutes=minutes, items=ITEMS, note="Ring the bell")
        for n, minutes in enumerate((0.05, 0.06, 3, 5, 8, 9, 10))
    ]
    kitchen.order("#600", minutes=300, items=ITEMS)
    with kitchen.wall() as wall:
        expect(wall.ticket(orders[-1])).to_be_visible()
        kitchen.client.move(orders[2]["id"], "PREPARING")
        kitchen.client.move(orders[3]["id"], "READY")
        kitchen.client.move_item(orders[4]["id"], "B-1", "READY")
        kitchen.client.move(orders[5]["id"], "CANCELLED")
        kitchen.client.move_item(orders[6]["id"], "S-1", "CANCELLED")
        wall.foot(orders[1]).click()
        wall.expect_state(orders[5], "cancelled")
        wall.expect_state(orders[1], "ready")
        expect(wall.ticket(orders[6]).locator(".item--alarm")).to_be_visible()
    return kitchen


@contextmanager
def screen(kitchen: WallKitchen, path: str, **more: Any) -> Iterator[Page]:
    """Another page than the wall: pages of the paired wall or pickup board, or without any pairing."""
    options = {"viewport": WALL, "service_workers": "block", "locale": "en", **more}
    context = kitchen.browser.new_context(base_url=kitchen.stack.base_url, **options)
    page = context.new_page()
    try:
        page.goto(path)
        yield page
    finally:
        context.close()


@contextmanager
def panel(wall: Wall, name: str) -> Iterator[None]:
    how = PANELS[name]
    if how.startswith("["):
        wall.page.locator(how).focus()
        wall.press("⏎")
    else:
        wall.press(how)
    expect(wall.page.locator(f"#{name}")).to_be_visible()
    if name == "recalls":
        expect(wall.page.locator("#recalls .recall").first).to_be_visible()
    yield
    wall.page.keyboard.press("Escape")
    expect(wall.page.locator(f"#{name}")).to_be_hidden()


def pairing(kitchen: WallKitchen) -> list[tuple[str, dict[str, Any]]]:
    """All pages besides the wall: (path, options of their browser)."""
    wall = {"storage_state": kitchen.paired("expo-1")}
    pickup = {"storage_state": kitchen.paired("pickup-1", "--board", "pickup")}
    is_new = "revoked-1" not in kitchen.states
    revoked = {"storage_state": kitchen.paired("revoked-1")}
    if is_new:
        kitchen.revoke("revoked-1")
    return [
        ("/pickup/", pickup),
        ("/display/paper", wall),
        ("/display/recalls", wall),
        ("/display/", {}),
        ("/pickup/", {}),
        ("/display/", revoked),
    ]


def test_axe_finds_nothing_on_the_wall_its_alarms_and_its_panels(kitchen: WallKitchen) -> None:
    with kitchen.wall() as wall:
        assert violations(wall.page) == []
        for name in PANELS:
            with panel(wall, name):
                assert violations(wall.page) == [], name
        # As it is after five seconds without a word of the server.
        wall.page.evaluate("document.querySelector('[data-stale]').hidden = false")
        wall.press("1")
        assert violations(wall.page) == []


def test_axe_finds_nothing_on_a_calm_and_on_an_empty_wall(kitchen: WallKitchen) -> None:
    calm = kitchen.beside("calm")
    with calm.wall() as wall:
        expect(wall.page.get_by_text("No open orders")).to_be_visible()
        assert violations(wall.page) == []
        order = calm.order("#1", items=ITEMS)
        expect(wall.ticket(order)).to_be_visible()
        assert violations(wall.page) == []


def test_axe_finds_nothing_on_a_phone(kitchen: WallKitchen) -> None:
    with kitchen.wall(viewport={"width": 390, "height": 844}, has_touch=True) as wall:
        assert violations(wall.page) == []
        assert wall.page.evaluate(SPILLED) == []


def test_axe_finds_nothing_on_the_other_pages(kitchen: WallKitchen) -> None:
    for path, options in pairing(kitchen):
        with screen(kitchen, path, **options) as page:
            assert violations(page) == [], path
            assert page.evaluate(SPILLED) == [], path


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_every_page_speaks_the_language_of_the_device(kitchen: WallKitchen, language: str) -> None:
    """No text and no label stands there in English of which there is a translation."""
    words = gettext.translation("django", ROOT / "locale", [language])._catalog  # type: ignore[attr-defined]
    english = [text for text in words if isinstance(text, str) and len(text) > 1 and words[text] != text]
    texts = """() => [...new Set([
      ...[...document.querySelectorAll("body, body *:not(script, noscript, style, option[lang])")].flatMap((element) => [
        ...[...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent.trim()),
        element.getAttribute("aria-label"), element.title]),
      document.title.split(" · ")[0]])]"""

    def in_english(page: Page) -> set[str]:
        expect(page.locator("html")).to_have_attribute("lang", language)
        return set(page.evaluate(texts)) & set(english)

    with kitchen.wall("expo-1", locale=language) as wall:
        for name in PANELS:
            with panel(wall, name):
                assert in_english(wall.page) == set()
                assert wall.page.evaluate(SPILLED) == []
        assert wall.page.evaluate(CUT) == []
        wall.page.set_viewport_size({"width": 1280, "height": 720})
        assert wall.page.evaluate(SPILLED) == []
    for path, options in pairing(kitchen):
        with screen(kitchen, path, **options, locale=language) as page:
            assert in_english(page) == set(), path
            assert page.evaluate(SPILLED) == [], path


def test_tab_reaches_all_that_can_be_touched_and_shows_where_it_is(kitchen: WallKitchen) -> None:
    focus = """() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      return {
        what: element.dataset.key ?? element.className,
        ring: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
        inside: box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth,
      };
    }"""
    with kitchen.wall() as wall:
        # “Turn sound on” is done by any key, and goes.
        touchable = wall.page.locator(".wall__parts").evaluate(
            """wall => [...wall.querySelectorAll("button:not([data-unblock]), a[href]")]
              .filter(one => one.checkVisibility({ visibilityProperty: true }) && !one.disabled)
              .map(one => one.dataset.key ?? one.className)"""
        )
        reached = []
        for _ in touchable:
            wall.page.keyboard.press("Tab")
            reached.append(wall.page.evaluate(focus))
        assert [one and one["what"] for one in reached] == touchable
        assert all(one["ring"] >= 3 and one["inside"] for one in reached), reached


def test_keyboard_alone_does_everything_that_a_finger_does(kitchen: WallKitchen) -> None:
    one = kitchen.order("#701", minutes=0.5, items=ITEMS)
    two = kitchen.order("#702", minutes=0.6, items=ITEMS)
    with kitchen.wall() as wall:
        page = wall.page

        def enter(key: str) -> None:
            page.locator(f".grid [data-key='{key}']").focus()
            wall.press("⏎")

        # An item, and Undo on the very place, without another Tab.
        enter(f"item:{one['id']}|D-1")
        expect(wall.item(one, "Miso soup")).to_contain_text("Undo")
        wall.press("⏎")
        expect(wall.item(one, "Miso soup").locator("button.item__touch--undo")).to_have_count(0)
        wall.expect_state(one, "received")

        # The ticket, and its Undo.
        enter(f"foot:{one['id']}")
        wall.expect_state(one, "ready")
        expect(wall.foot(one)).to_be_focused()
        wall.press("⏎")
        wall.expect_state(one, "received")

        # A cancellation, seen.
        kitchen.client.move(two["id"], "CANCELLED")
        wall.expect_state(two, "cancelled")
        enter(f"foot:{two['id']}")
        expect(wall.ticket(two)).to_have_count(0)

        # The recall list: its first entry has the focus.
        enter(f"foot:{one['id']}")
        wall.expect_state(one, "ready")
        wall.press("*")
        expect(page.locator("#recalls .recall").first).to_contain_text("#701")
        expect(page.locator("#recalls .recall button").first).to_be_focused()
        wall.press("⏎")
        wall.expect_state(one, "received")

        # Settings: open, change, save.
        page.locator("[data-hold=settings]").focus()
        wall.press("⏎")
        field = page.locator("#settings [name=text_scale]")
        field.focus()
        page.keyboard.press("ArrowUp")
        expect(field).to_have_value("105")
        wall.press("⏎")
        expect(page.locator("body[data-text-scale='105'][data-state=live]")).to_be_visible()
        page.locator("[data-hold=settings]").focus()
        wall.press("⏎")
        page.locator("#settings [name=text_scale]").fill("100")
        wall.press("⏎")
        expect(page.locator("body[data-text-scale='100'][data-state=live]")).to_be_visible()
        assert wall.complaints == []
    kitchen.client.move(one["id"], "PICKED_UP")


def test_nothing_moves_where_motion_is_not_wanted(kitchen: WallKitchen) -> None:
    moving = "document.getAnimations().map((one) => one.animationName ?? one.transitionProperty)"
    with kitchen.wall(reduced_motion="reduce") as wall:
        order = kitchen.order("#801", items=ITEMS)
        expect(wall.ticket(order)).to_be_visible()
        expect(wall.page.locator(".ticket--alarmed").first).to_be_visible()
        wall.page.evaluate("document.querySelector('[data-flash]').hidden = false")
        wall.page.evaluate("document.querySelector('[data-hold]').dataset.held = '1'")
        assert wall.page.evaluate(moving) == []
    with screen(
        kitchen,
        "/pickup/",
        storage_state=kitchen.paired("pickup-1", "--board", "pickup"),
        reduced_motion="reduce",
    ) as page:
        kitchen.client.move(order["id"], "READY")
        expect(page.locator(".half--ready li.is-new")).to_be_visible()
        assert page.evaluate(moving) == []
    # The same things do move otherwise: so the check above sees them.
    with kitchen.wall() as wall:
        expect(wall.page.locator(".ticket--alarmed").first).to_be_visible()
        assert "alarm" in wall.page.evaluate(moving)
    kitchen.client.move(order["id"], "PICKED_UP")


def test_time_turns_amber_at_three_quarters_and_red_when_due(kitchen: WallKitchen) -> None:
    """Each with a sign, a word for who can't see it, and a colour."""
    times = kitchen.beside("times")
    # Minutes since the order came, and until it is due.
    ages = {"calm": (7.0, 3.0), "soon": (7.51, 2.5), "late": (10.0, 0.04)}
    orders = {}
    for urgency, (age, due) in ages.items():
        came = datetime.now(UTC) - timedelta(minutes=age)
        orders[urgency] = times.order(f"#{urgency}", minutes=due, items=ITEMS, created=came.isoformat())
    seen = set()
    with times.wall() as wall:
        for urgency, order in orders.items():
            ticket = wall.ticket(order)
            expect(ticket.locator(".timer")).to_have_attribute("data-urgency", urgency, timeout=10_000)
            seen.add(
                (
                    ticket.locator(".due use").get_attribute("href"),
                    ticket.locator(".timer [data-word]").text_content(),
                    ticket.locator(".timer").evaluate("timer => getComputedStyle(timer).backgroundColor"),
                )
            )
    assert {word for _, word, _ in seen} == {"", "Due soon", "Late"}
    assert len({sign for sign, _, _ in seen}) == len({colour for _, _, colour in seen}) == 3
