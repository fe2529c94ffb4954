"""The dashboard in a real browser: charts are really drawn, under the content security policy, by day and by night."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.client import Client
from tests.browser.chrome import DESK, PHONE, Complaints, log_in, watched

DRAWN = """() => [...document.querySelectorAll("canvas[data-chart]")].map((canvas) => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return [canvas.dataset.chart, new Set(new Uint32Array(pixels.buffer)).size];
})"""
# The chart's own rows and texts, and those of the table below it.
BOTH = """() => [...document.querySelectorAll("canvas[data-chart]")].map((canvas) => {
  const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
  const chart = Chart.getChart(canvas);
  const rows = [...canvas.closest("section").querySelectorAll("tbody tr")];
  const heads = [...canvas.closest("section").querySelectorAll("thead th")].map((cell) => cell.textContent);
  return {
    labels: chart.data.labels,
    drawn: chart.data.datasets.map((set) => [set.label, set.texts]),
    names: rows.map((row) => row.cells[0].textContent),
    told: data.series.map((series) => {
      const place = heads.indexOf(series.title);
      return [series.title, rows.map((row) => row.cells[place].textContent)];
    }),
  };
})"""
ALL_DRAWN = "[...document.querySelectorAll('canvas[data-chart]')].every((each) => 'drawn' in each.dataset)"


@pytest.fixture(scope="module")
def figures(live_stack: Any, manager: tuple[str, str]) -> tuple[str, str]:
    """A manager; some orders have gone their way, and the figures know of them."""
    client = Client(live_stack.base_url, live_stack.issue_key(name="wolt", kitchen="main", rate_limit=0))
    for number in range(6):
        order = client.created(channel="wolt", channelOrderDisplayId=f"#9{number}")
        for status in ("PREPARING", "READY", "PICKED_UP")[: number % 4]:
            assert client.call("PATCH", f"/orders/{order['id']}", {"status": status}).status == 200
    live_stack.manage("rebuild_analytics")
    return manager


@pytest.fixture(params=[(DESK, "light"), (PHONE, "dark")], ids=["desk, light", "phone, dark"])
def page(
    request: pytest.FixtureRequest, browser: Browser, live_stack: Any, figures: tuple[str, str]
) -> Iterator[tuple[Page, Complaints]]:
    size, scheme = request.param
    with watched(browser, live_stack.base_url, viewport=size, color_scheme=scheme) as (page, complaints):
        log_in(page, *figures)
        # Of the orders' own kitchen: of others the day may have ended already.
        page.goto("/admin/?kitchen=main")
        page.wait_for_function(ALL_DRAWN)
        yield page, complaints


def test_charts_are_drawn_and_their_tables_say_the_same(page: tuple[Page, Complaints]) -> None:
    page_, complaints = page

    drawn = dict(page_.evaluate(DRAWN))
    assert {"data-rush", "data-days", "data-time-preparing", "data-brands"} <= set(drawn)
    # An empty canvas has one colour.
    assert [name for name, colours in drawn.items() if colours < 10] == []
    for chart in page_.evaluate(BOTH):
        assert chart["labels"] == chart["names"]
        assert chart["drawn"] == chart["told"]
    assert page_.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page_.locator("#panel-rush summary").click()
    expect(page_.locator("#panel-rush table")).to_be_visible()
    assert complaints == []


def test_a_brand_is_chosen_and_its_csv_saved(page: tuple[Page, Complaints]) -> None:
    page_, complaints = page
    page_.get_by_role("link", name="7 days", exact=True).click()
    page_.wait_for_url("**range=7**")
    brand = page_.locator("select[name=brand] option").nth(1).get_attribute("value") or ""
    page_.locator("select[name=brand]").select_option(brand)
    page_.wait_for_url("**brand=**")
    page_.wait_for_function(ALL_DRAWN)

    with page_.expect_download() as download:
        page_.locator("#panel-days .huuva-csv").click()
    assert download.value.suggested_filename.startswith("huuva-days-")
    assert download.value.path().read_text().startswith("day,orders,notLate,late,lateShare,cancelled")
    assert complaints == []


def test_what_is_open_now_goes_on_while_the_page_is_looked_at(
    browser: Browser, live_stack: Any, figures: tuple[str, str]
) -> None:
    client = Client(live_stack.base_url, live_stack.issue_key(name="wolt", kitchen="main", rate_limit=0))
    with watched(browser, live_stack.base_url, viewport=DESK) as (page, complaints):
        page.clock.install()
        log_in(page, *figures)
        page.wait_for_function(ALL_DRAWN)
        to_make = page.locator("#now .huuva-tile strong").nth(1)
        before = int(to_make.inner_text())

        client.created(channel="wolt")
        page.clock.fast_forward(61_000)

        expect(to_make).to_have_text(str(before + 1))
        expect(page.locator("#now")).to_have_count(1)
        assert complaints == []
