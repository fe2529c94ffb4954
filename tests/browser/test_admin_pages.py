"""The managers' pages in a real browser: they work under the content security policy, also on a phone."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests.api.client import Client
from tests.browser.chrome import DESK, PHONE, Complaints, log_in, watched, watched_page

type Seat = tuple[Page, Complaints]


@pytest.fixture(scope="session")
def order(live_stack: Any) -> dict[str, Any]:
    """An order with a past: made, prepared, taken back and cancelled."""
    client = Client(live_stack.base_url, live_stack.issue_key(name="wolt", kitchen="main", rate_limit=0))
    order = client.created(channelOrderDisplayId="#417", channel="wolt")
    plu = order["items"][0]["plu"]
    assert client.move_item(order["id"], plu, "READY").status == 200
    assert client.recall(order["id"], {"reason": "Wrong ticket"}).status == 200
    assert client.call("PATCH", f"/orders/{order['id']}", {"status": 5, "reason": "No rice"}).status == 200
    return order


@pytest.fixture(scope="module")
def station(live_stack: Any) -> str:
    """Without rules: products go everywhere."""
    make = (
        "from kitchen_display.tests.factories import station;print(station('tried-out', name='Tried out').pk)"
    )
    return str(live_stack.manage("shell", "--no-imports", "-c", make)).strip()


@pytest.fixture(scope="module")
def session(browser: Browser, live_stack: Any, manager: tuple[str, str]) -> StorageState:
    """The cookies of a manager who has logged in."""
    with watched(browser, live_stack.base_url, viewport=PHONE) as (page, complaints):
        log_in(page, *manager)
        assert complaints == []
        return page.context.storage_state()


@pytest.fixture(scope="module", params=[DESK, PHONE], ids=["desk", "phone"])
def profile(
    request: pytest.FixtureRequest, browser: Browser, live_stack: Any, session: StorageState
) -> Iterator[BrowserContext]:
    """The browser of a manager, who looks at one page after the other: styles and modules come from its cache."""
    context = browser.new_context(
        base_url=live_stack.base_url, locale="en", viewport=request.param, storage_state=session
    )
    yield context
    context.close()


@pytest.fixture
def seat(profile: BrowserContext, live_stack: Any) -> Iterator[Seat]:
    """A manager's page and what the browser complains about."""
    with watched_page(profile, live_stack.base_url) as seen:
        yield seen


def fits(page: Page) -> bool:
    """Whether the page needs no scrolling sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/orders/order/",
        "/admin/orders/order/?late=yes",
        "/admin/orders/kitchen/",
        "/admin/orders/kitchen/add/",
        "/admin/orders/kitchen/main/change/",
        "/admin/orders/brand/add/",
        "/admin/integrations/apikey/",
        "/admin/integrations/apikey/add/",
        "/admin/auth/user/",
        "/admin/auth/user/add/",
        "/admin/password_change/",
    ],
)
def test_a_page_breaks_no_rule_and_fits(seat: Seat, order: dict[str, Any], path: str) -> None:
    page, complaints = seat

    page.goto(path, wait_until="networkidle")

    expect(page.locator("#content")).to_be_visible()
    assert fits(page)
    assert complaints == []


def test_a_manager_finds_an_order_and_reads_what_happened(seat: Seat, order: dict[str, Any]) -> None:
    page, complaints = seat
    page.goto("/admin/orders/order/")
    page.locator("#searchbar").fill("#417")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="#417").first.click()

    expect(page.get_by_role("heading", name="#417", exact=True)).to_be_visible()
    step = page.locator(".huuva-step")
    expect(step).to_have_count(4)
    expect(step.nth(0)).to_contain_text("API key wolt")
    expect(step.nth(1)).to_contain_text("taken back by change 3")
    expect(step.nth(2)).to_contain_text("“Wrong ticket”")
    expect(step.nth(3)).to_contain_text("“No rice”")
    expect(page.locator("form[method=post] input[type=submit], [name=status]")).to_have_count(0)
    assert fits(page)
    assert complaints == []


def test_a_day_is_chosen_from_the_filters(seat: Seat, order: dict[str, Any]) -> None:
    page, complaints = seat
    page.goto("/admin/orders/order/")
    if page.viewport_size == PHONE:
        page.locator(".filter-open-button").click()

    page.locator("input[name=from]").fill("2020-01-01")
    page.locator("input[name=to]").fill("2020-01-02")
    page.get_by_role("button", name="Show").click()

    page.wait_for_url("**from=2020-01-01**")
    expect(page.get_by_role("link", name="#417")).to_have_count(0)
    assert complaints == []


def test_a_brand_gets_its_colour_and_a_kitchen_its_zone(seat: Seat, order: dict[str, Any]) -> None:
    page, complaints = seat
    name = f"Brand {page.viewport_size['width']}" if page.viewport_size else "Brand"
    page.goto("/admin/orders/brand/add/")
    page.locator("[name=id]").fill(name.lower())
    page.locator("[name=name]").fill(name)
    page.locator("input[type=color]").fill("#d97706")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/orders/brand/")
    expect(page.get_by_role("link", name=name).locator("circle")).to_have_attribute("fill", "#d97706")

    page.goto("/admin/orders/kitchen/main/change/")
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("Stockholm")
    page.keyboard.press("Enter")
    # The whole of the first day: on the others the kitchen is closed.
    for name in ("opens", "closes"):
        page.locator(f"[name=opening_hours-0-{name}]").fill("00:00")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/orders/kitchen/")
    expect(page.locator("#result_list")).to_contain_text("Europe/Stockholm")
    expect(page.locator(".field-shown_opening").first).to_contain_text(
        re.compile("open(s|until)? ", re.IGNORECASE)
    )
    assert complaints == []


def test_rules_are_tried_by_keyboard_before_they_are_saved(
    seat: Seat, order: dict[str, Any], station: str
) -> None:
    page, complaints = seat
    plu = order["items"][0]["plu"]
    page.goto(f"/admin/kitchen_display/station/{station}/change/")
    goes = page.locator(f"[data-plu={json.dumps(plu)}] [data-goes]")
    expect(goes).to_have_text("every station")

    page.locator("[name=rules-0-plu]").focus()
    page.keyboard.type(plu[:-1])
    expect(goes).to_have_text("Tried out")
    page.keyboard.press("Tab")  # to the switch “and all that begin with it”
    page.keyboard.press("Space")
    expect(goes).to_have_text("every station")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("End")
    page.keyboard.type(plu[-1])
    expect(goes).to_have_text("Tried out")
    assert fits(page)
    assert complaints == []


def test_a_key_is_created_and_shown_once(seat: Seat) -> None:
    page, complaints = seat
    page.goto("/admin/integrations/apikey/add/")
    page.locator("[name=name]").fill("foodora")
    page.locator("[name=scopes][value='orders:read']").check()
    page.get_by_role("button", name="Save", exact=True).click()

    assert page.locator("#shown-once").input_value().startswith("huuva_")
    assert fits(page)
    page.goto("/admin/integrations/apikey/")
    expect(page.locator("#shown-once")).to_have_count(0)
    assert complaints == []


@pytest.mark.parametrize(("path", "shown"), [("/api/docs", ".opblock"), ("/api/redoc", "[data-section-id]")])
def test_the_api_pages_ask_no_other_host(browser: Browser, live_stack: Any, path: str, shown: str) -> None:
    with watched(browser, live_stack.base_url, viewport=DESK) as (page, complaints):
        page.goto(path, wait_until="networkidle")

        expect(page.locator(shown).first).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert complaints == []


def test_a_call_is_tried_in_the_docs_with_a_key_pasted_in(browser: Browser, live_stack: Any) -> None:
    with watched(browser, live_stack.base_url, viewport=DESK) as (page, complaints):
        page.goto("/api/docs", wait_until="networkidle")
        page.get_by_role("button", name="Authorize").click()
        bearer = page.locator(".auth-container", has=page.locator("#auth-bearer-value"))
        bearer.locator("#auth-bearer-value").fill(live_stack.key)
        bearer.locator(".auth-btn-wrapper .authorize").click()
        # What was locked looks different now.
        page.locator(".auth-btn-wrapper .btn-done").first.click()
        page.locator(".opblock-get .opblock-summary-path", has_text="/api/orders").first.click()
        page.get_by_role("button", name="Execute").first.click()

        expect(page.locator(".live-responses-table .response .response-col_status").first).to_contain_text(
            "200"
        )
        assert complaints == []


@pytest.mark.parametrize(
    ("language", "heading", "status"), [("fi", "Tilaukset", "Peruttu"), ("sv", "Beställningar", "Avbruten")]
)
def test_the_pages_speak_the_browsers_language(
    browser: Browser,
    live_stack: Any,
    manager: tuple[str, str],
    order: dict[str, Any],
    language: str,
    heading: str,
    status: str,
) -> None:
    with watched(browser, live_stack.base_url, viewport=DESK, locale=language) as (page, complaints):
        log_in(page, *manager)
        page.goto("/admin/orders/order/")

        expect(page.locator("nav h2").nth(1)).to_contain_text(heading)
        expect(page.locator("#result_list")).to_contain_text(status)
        assert complaints == []
