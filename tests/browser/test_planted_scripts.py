"""What others write is shown as text: a script in a name or note doesn't run on any page, and no page breaks its policy."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.client import Client, new_items
from tests.browser.chrome import DESK, Complaints, log_in, watched

# The one would run by itself, the other where it is put into a page by script.
EVIL = "<script>planted=1</script><img src=x onerror=planted=1>"
KITCHEN = "evil"
PLANT = f"""
from orders.models import Brand, Kitchen
from kitchen_display.models import Screen, Station, StationRule
evil = {EVIL!r}
Kitchen.objects.filter(slug={KITCHEN!r}).update(name=evil)
Brand.objects.get_or_create(id="evil-brand", defaults={{"name": evil, "colour": "#112233"}})
station, _ = Station.objects.get_or_create(kitchen_id={KITCHEN!r}, slug="evil", defaults={{"name": evil}})
StationRule.objects.get_or_create(station=station, plu="EVIL", is_prefix=True)
screen = Screen.objects.create(kitchen_id={KITCHEN!r}, name=evil)
print(station.pk, screen.pk)
"""


class Planted:
    """The order's id, and where the rows with the evil name are shown."""

    def __init__(self, stack: Any) -> None:
        client = Client(stack.base_url, stack.issue_key(name=EVIL[:20], kitchen=KITCHEN, rate_limit=0))
        order = client.created(
            brandId="evil-brand",
            account=EVIL,
            channel=EVIL[:40],
            channelOrderId=EVIL,
            channelOrderDisplayId=EVIL[:30],
            customer={"name": EVIL, "phoneNumber": EVIL[:30]},
            deliveryAddress={"street": EVIL, "city": EVIL, "postalCode": "00100"},
            pickupTime="2030-01-01T12:00:00Z",
            note=EVIL,
            items=new_items(
                "EVIL-1", name=EVIL, note=EVIL, modifiers=[{"name": EVIL, "quantity": 1}], allergens=[EVIL]
            ),
        )
        self.order: str = order["id"]
        assert client.move(self.order, "PREPARING").status == 200
        amended = client.call("PATCH", f"/orders/{self.order}", {"note": f"{EVIL} again", "reason": EVIL})
        assert amended.status == 200, amended.body
        self.station, self.screen = stack.manage("shell", "--no-imports", "-c", PLANT).split()


@pytest.fixture(scope="module")
def planted(live_stack: Any) -> Planted:
    return Planted(live_stack)


def look(page: Page, complaints: Complaints, path: str, *, status: int = 200) -> None:
    """Opens the page; nothing planted has run, nothing broke the policy, and no other thing failed."""
    answer = page.goto(path, wait_until="load")
    assert answer is not None and answer.status == status, path
    # What is put in by modules comes a moment later.
    page.wait_for_load_state("domcontentloaded")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    assert page.evaluate("typeof window.planted") == "undefined", path
    of_page = (
        [each for each in complaints if f": {status} " not in each] if status >= 400 else list(complaints)
    )
    unwanted = [each for each in of_page if status < 400 or "Failed to load resource" not in each]
    assert unwanted == [], path
    complaints.clear()


def test_scripts_in_names_and_notes_stay_text_in_the_admin(
    browser: Browser, live_stack: Any, manager: tuple[str, str], planted: Planted
) -> None:
    with watched(browser, live_stack.base_url, viewport=DESK) as (page, complaints):
        log_in(page, *manager)

        for path in (
            "/admin/",
            "/admin/analytics/",
            f"/admin/?kitchen={KITCHEN}",
            "/admin/orders/order/?status=open",
            "/admin/orders/order/?q=%3Cscript%3Eplanted%3D1%3C%2Fscript%3E",
            "/admin/orders/brand/",
            "/admin/orders/brand/evil-brand/change/",
            "/admin/orders/kitchen/",
            f"/admin/orders/kitchen/{KITCHEN}/change/",
            f"/admin/orders/kitchen/{KITCHEN}/history/",
            "/admin/kitchen_display/screen/",
            "/admin/kitchen_display/screen/add/",
            f"/admin/kitchen_display/screen/{planted.screen}/change/",
            f"/admin/kitchen_display/screen/{planted.screen}/delete/",
            f"/admin/kitchen_display/screen/{planted.screen}/preview/",
            "/admin/kitchen_display/station/",
            "/admin/kitchen_display/station/add/",
            f"/admin/kitchen_display/station/{planted.station}/change/",
            "/admin/integrations/apikey/",
            "/admin/auth/group/",
            "/admin/auth/group/add/",
            "/admin/integrations/webhookendpoint/",
            "/admin/integrations/webhookendpoint/add/",
            "/admin/integrations/delivery/",
            "/admin/integrations/channellink/",
            "/admin/integrations/channellink/add/",
            "/admin/integrations/channellocation/",
            "/admin/integrations/channelmessage/",
            "/admin/orders/kitchenpace/",
            f"/admin/orders/kitchenpace/{KITCHEN}/change/",
        ):
            look(page, complaints, path)

        look(page, complaints, "/admin/no-such-page/", status=404)
        look(page, complaints, f"/admin/orders/order/{planted.order}/change/")
        shown = page.locator("#content").inner_text()
        # Name, phone, account, address, note, item, its note, modifier and allergens, brand, kitchen, channel, the amendment.
        assert shown.count("<script>planted=1") >= 10


def test_scripts_in_names_and_notes_stay_text_on_screens(
    browser: Browser, live_stack: Any, planted: Planted
) -> None:
    live_stack.start_live()
    wall, board = (
        live_stack.manage("pair_screen", f"{kind} {EVIL}", "--kitchen", KITCHEN, *more).strip()
        for kind, more in (("Wall", ()), ("Board", ("--board", "pickup")))
    )
    with watched(browser, live_stack.base_url, viewport=DESK) as (page, complaints):
        allowed = f"http://127.0.0.1:{live_stack.port + 1}/"
        page.goto(wall)
        page.wait_for_url("**/display/")
        expect(page.get_by_text("<script>planted=1").first).to_be_visible()
        for path in ("/display/", "/display/paper", "/display/recalls"):
            complaints.clear()
            page.goto(path)
            assert page.evaluate("typeof window.planted") == "undefined", path
            assert [each for each in complaints if allowed not in each] == []
        page.goto(board)
        page.wait_for_url("**/pickup/")
        assert page.evaluate("typeof window.planted") == "undefined"
        assert [each for each in complaints if allowed not in each] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/login/", 200),
        ("/display/", 200),
        ("/display/pair", 200),
        ("/pickup/", 200),
        ("/display/recalls", 403),
        ("/display/pair/no-such-link", 410),
        ("/api/problems", 200),
        ("/nothing-here", 404),
        ("/admin/login/?next=%22%3E%3Cscript%3Eplanted%3D1%3C/script%3E", 200),
        ("/%3Cscript%3Eplanted=1%3C/script%3E", 404),
    ],
)
def test_pages_for_everybody_break_no_rule(browser: Browser, live_stack: Any, path: str, status: int) -> None:
    with watched(browser, live_stack.base_url) as (page, complaints):
        look(page, complaints, path, status=status)


def test_the_policy_stops_what_would_slip_through(browser: Browser, live_stack: Any) -> None:
    """The page's own policy, tried: a script that somebody got into it doesn't run, and the browser says so."""
    with watched(browser, live_stack.base_url) as (page, complaints):
        page.goto("/admin/login/")
        page.evaluate(
            f"document.body.insertAdjacentHTML('beforeend', {json.dumps('<img src=data:, onerror=planted=1>')});"
        )
        page.wait_for_function("document.images[document.images.length - 1].complete")
        expect(page.locator("img").last).to_be_attached()
        page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'planted=1'; document.body.append(s) }"
        )

        assert page.evaluate("typeof window.planted") == "undefined"
        assert any("Content Security Policy" in each for each in complaints)
