"""From the commit of an order until a wall has painted it, and from a bump on one wall until another has."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Browser, Error, Page, sync_playwright

from bench.load import BenchFailed
from tests.api.client import Client, new_order
from tests.browser.chrome import launch

ORDERS = 200
OPEN_AT_ONCE = 8
PAUSE_SECONDS = 0.12
# What was bumped keeps its place for 10 s, for undo; faster than any cook, the bench would fill the first page with it.
BUMPS_OF_A_PAGE = 8
GOAL_P95_MS = 150.0
# Notes in `window[name]` when each ticket (of a state, if one is given) is painted: two frames after it was there, so
# the first has been drawn.
WATCH = """([name, state]) => {
  const painted = (window[name] = {});
  const look = () => {
    const fresh = [...document.querySelectorAll(".grid > .ticket")]
      .filter((t) => (!state || t.dataset.state === state) && !(t.dataset.order in painted));
    for (const ticket of fresh) painted[ticket.dataset.order] = 0;
    if (fresh.length) requestAnimationFrame(() => requestAnimationFrame(() => {
      for (const ticket of fresh) painted[ticket.dataset.order] = performance.timeOrigin + performance.now();
    }));
  };
  const changes = state ? { childList: true, subtree: true, attributes: true } : { childList: true };
  new MutationObserver(look).observe(document.querySelector(".grid"), changes);
  look();
}"""
# Touches the foot of a ticket; when that was.
BUMP = """(order) => {
  const at = performance.timeOrigin + performance.now();
  document.querySelector(`.grid > .ticket[data-order="${order}"] .foot`).click();
  return at;
}"""


@dataclass(frozen=True)
class PaintResult:
    """Milliseconds from the answer to the POST, which comes right after its commit, until the ticket is painted."""

    orders: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    missing: int
    requests_per_change: float
    bumps: int
    bump_p50_ms: float  # from the touch, so with the way to the server and the commit
    bump_p95_ms: float
    bump_max_ms: float
    bumps_missing: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        return [
            f"wall, from commit until painted, {self.orders} orders: p50 {self.p50_ms:.0f}, p95 {self.p95_ms:.0f}, "
            f"worst {self.max_ms:.0f} ms (goal p95 ≤ {GOAL_P95_MS:.0f}); "
            f"{self.requests_per_change:.2f} requests for each change (goal ≤ 1)",
            f"wall, from a touch on one wall until painted on the other, {self.bumps} bumps: "
            f"p50 {self.bump_p50_ms:.0f}, p95 {self.bump_p95_ms:.0f}, worst {self.bump_max_ms:.0f} ms "
            f"(goal p95 ≤ {GOAL_P95_MS:.0f})",
        ]

    def wrong(self) -> Iterable[str]:
        if self.missing:
            yield f"wall: {self.missing} orders were not painted"
        if self.bumps_missing:
            yield f"wall: {self.bumps_missing} bumps were not painted on the other wall"


def measure_painted(base_url: str, links: tuple[str, str], key: str) -> PaintResult:
    """`links` pair two screens with the kitchen of `key`. Raises BenchFailed."""
    client = Client(base_url, key)
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
            page = _open(browser, base_url, links[0])
        except (Error, RuntimeError) as error:
            raise BenchFailed(f"The wall did not open: {error}") from None
        requests: list[str] = []
        page.on(
            "request", lambda request: requests.append(request.url) if "/display/" in request.url else None
        )
        page.evaluate(WATCH, ["painted", ""])
        committed, changes = _serve(client, page)
        page.wait_for_timeout(1000)
        painted = page.evaluate("painted")
        per_change = len(requests) / changes
        for order in client.stored(status="RECEIVED"):
            client.move(order["id"], "PICKED_UP")
        bumps = _bumped(client, page, _open(browser, base_url, links[1]))
        browser.close()
    times = sorted(painted[order] - at for order, at in committed.items() if painted.get(order))
    seen = sorted(milliseconds for milliseconds in bumps if milliseconds is not None)
    if min(len(times), len(seen)) < 2:
        raise BenchFailed("The wall showed nothing of what was ordered.")
    return PaintResult(
        orders=len(committed),
        p50_ms=round(median(times), 1),
        p95_ms=round(quantiles(times, n=20)[-1], 1),
        max_ms=round(times[-1], 1),
        missing=len(committed) - len(times),
        requests_per_change=round(per_change, 2),
        bumps=len(bumps),
        bump_p50_ms=round(median(seen), 1),
        bump_p95_ms=round(quantiles(seen, n=20)[-1], 1),
        bump_max_ms=round(seen[-1], 1),
        bumps_missing=len(bumps) - len(seen),
    )


def _open(browser: Browser, base_url: str, link: str) -> Page:
    context = browser.new_context(
        base_url=base_url, viewport={"width": 1920, "height": 1080}, service_workers="block"
    )
    page = context.new_page()
    page.goto(link)
    page.locator("body[data-state=live]").wait_for()
    return page


def _bumped(client: Client, mine: Page, other: Page) -> list[float | None]:
    """For each bump on `mine` the milliseconds until `other` shows it; None where it never did."""
    other.evaluate(WATCH, ["ready", "ready"])
    touched: dict[str, float] = {}
    for number in range(ORDERS):
        if number % BUMPS_OF_A_PAGE == 0:
            mine.reload()
            mine.locator("body[data-state=live]").wait_for()
        order = client.create(new_order(channelOrderDisplayId=f"#{number}")).json()["id"]
        try:
            for page in (mine, other):
                page.locator(f'.grid > .ticket[data-order="{order}"]').first.wait_for(timeout=5000)
            touched[order] = mine.evaluate(BUMP, order)
            other.wait_for_function("(order) => ready[order]", arg=order, timeout=5000)
        except Error as error:
            raise BenchFailed(f"The walls do not show an order: {error}") from None
        # Off both walls, so that each new one is on the first page.
        client.move(order, "PICKED_UP")
    ready = other.evaluate("ready")
    return [ready[order] - at if ready.get(order) else None for order, at in touched.items()]


def _serve(client: Client, page: Page) -> tuple[dict[str, float], int]:
    """Orders that come and go; when each was answered (ms since 1970), and how many changes that made."""
    committed: dict[str, float] = {}
    open_orders: list[str] = []
    changes = 0
    for number in range(ORDERS):
        # Less and less urgent, and never more open than fit: each new one is on the first page.
        body = new_order(channelOrderDisplayId=f"#{number}")
        answer = client.create(body)
        committed[answer.json()["id"]] = time.time() * 1000
        open_orders.append(answer.json()["id"])
        changes += 1
        # Playwright works while it waits; without it no request is counted.
        page.wait_for_timeout(PAUSE_SECONDS * 1000)
        if len(open_orders) > OPEN_AT_ONCE:
            client.move(open_orders.pop(0), "PICKED_UP")
            changes += 1
            page.wait_for_timeout(PAUSE_SECONDS * 1000)
    return committed, changes
