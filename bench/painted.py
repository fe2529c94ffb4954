"""From the commit of an order until it is painted on a wall, in a real browser, on the running stack."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Error, Page, sync_playwright

from tests.api.client import Client, new_order
from tests.browser.conftest import FLAGS, chromium

ORDERS = 200
OPEN_AT_ONCE = 8
PAUSE_SECONDS = 0.12
GOAL_P95_MS = 150.0
# Notes when each ticket is painted: two frames after it came into the grid, so the first has been drawn.
WATCH = """() => {
  window.painted = {};
  const look = () => {
    const fresh = [...document.querySelectorAll(".grid > .ticket")].filter((t) => !(t.dataset.order in painted));
    for (const ticket of fresh) painted[ticket.dataset.order] = 0;
    if (fresh.length) requestAnimationFrame(() => requestAnimationFrame(() => {
      for (const ticket of fresh) painted[ticket.dataset.order] = performance.timeOrigin + performance.now();
    }));
  };
  new MutationObserver(look).observe(document.querySelector(".grid"), { childList: true });
  look();
}"""


class PaintFailed(RuntimeError):
    """The wall did not open, or did not show what was ordered."""


@dataclass(frozen=True)
class PaintResult:
    """Milliseconds from the answer to the POST, which comes right after its commit, until the ticket is painted."""

    orders: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    missing: int
    requests_per_change: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        return [
            f"wall, from commit until painted, {self.orders} orders: p50 {self.p50_ms:.0f}, p95 {self.p95_ms:.0f}, "
            f"worst {self.max_ms:.0f} ms (goal p95 ≤ {GOAL_P95_MS:.0f}); "
            f"{self.requests_per_change:.2f} requests for each change (goal ≤ 1)"
        ]


def measure_painted(base_url: str, link: str, key: str) -> PaintResult:
    """`link` pairs a screen with the kitchen of `key`. Raises PaintFailed."""
    client = Client(base_url, key)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
            context = browser.new_context(
                base_url=base_url,
                viewport={"width": 1920, "height": 1080},
                service_workers="block",
            )
            page = context.new_page()
            page.goto(link)
            page.locator("body[data-state=live]").wait_for()
        except (Error, RuntimeError) as error:
            raise PaintFailed(f"The wall did not open: {error}") from None
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/display/" in request.url else None)
        page.evaluate(WATCH)
        committed, changes = _serve(client, page)
        page.wait_for_timeout(1000)
        painted = page.evaluate("painted")
        browser.close()
    times = sorted(painted[order] - at for order, at in committed.items() if painted.get(order))
    if len(times) < 2:
        raise PaintFailed("The wall showed nothing of what was ordered.")
    return PaintResult(
        orders=len(committed),
        p50_ms=round(median(times), 1),
        p95_ms=round(quantiles(times, n=20)[-1], 1),
        max_ms=round(times[-1], 1),
        missing=len(committed) - len(times),
        requests_per_change=round(len(asked) / changes, 2),
    )


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


def complaints(result: PaintResult) -> Iterable[str]:
    if result.missing:
        yield f"wall: {result.missing} orders were not painted"
