"""A simulated history of two kitchens, and helpers that read the dashboard over it."""

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, TestCase

from analytics.dashboard.figures import figures
from analytics.refresh import refresh
from kitchen_display.models import Station, StationRule
from orders.models import Brand, Kitchen
from orders.recall import recall
from orders.services import create_order, move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY
from orders.tests import factories

# A Wednesday, 15:30 in Helsinki; the clocks there went back on 25 October.
NOW = datetime(2026, 11, 4, 13, 30, tzinfo=UTC)
LOCAL = "AT TIME ZONE 'Europe/Helsinki'"
# The four weeks up to that day, of one kitchen.
IN_RANGE = f"kitchen_id = 'harju' AND (created_at {LOCAL})::date BETWEEN '2026-10-08' AND '2026-11-04'"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def at(self, now: datetime) -> None:
        self.now = now


def simulate_order(clock: Clock, kitchen: Kitchen, created: datetime, dice: random.Random) -> None:
    clock.at(created)
    new = factories.new_order(
        *([None] * dice.randint(1, 3)),
        pickup_in=created + timedelta(minutes=dice.choice((5, 20, 90))) - datetime.now(UTC),
        account=f"acc-{dice.randint(1, 25)}",
        brand_id=dice.choice(("burgers", "sushi")),
        channel=dice.choice(("wolt", "foodora", "")),
    )
    order = create_order(new, kitchen=kitchen, actor="key:wolt")
    fate = dice.random()
    if fate < 0.1:
        move_order(order.id, CANCELLED, actor="user:anna")
        return
    if fate > 0.4:
        clock.at(clock.now + timedelta(minutes=dice.randint(1, 9)))
        move_order(order.id, PREPARING, actor="screen:grill")
    clock.at(clock.now + timedelta(minutes=dice.randint(1, 15), seconds=dice.randint(0, 59)))
    move_item(order.id, "P0", READY, actor="screen:grill")
    move_order(order.id, READY, actor="screen:expo")
    if fate > 0.9:
        recall(order.id, actor="screen:expo")
        move_order(order.id, READY, actor="screen:expo")
    clock.at(clock.now + timedelta(minutes=dice.randint(1, 15)))
    move_order(order.id, PICKED_UP, actor="screen:expo")


def simulate_history(clock: Clock) -> None:
    """Five weeks of two kitchens, and what is open now."""
    dice = random.Random(7)
    harju = factories.kitchen("harju", name="Harju")
    queens = factories.kitchen("queens", name="Queens", time_zone="America/New_York")
    Brand.objects.create(id="burgers", name="Burger Home")
    grill = Station.objects.create(kitchen=harju, slug="grill", name="Grill")
    StationRule.objects.create(station=grill, plu="P0", is_prefix=False)
    for days in range(35, 0, -1):
        for kitchen in (harju, queens):
            for _ in range(dice.randint(1, 3)):
                created = NOW - timedelta(days=days, minutes=dice.randint(0, 24 * 60 - 1))
                simulate_order(clock, kitchen, created, dice)
    for minutes, due in ((50, 20), (30, 10), (10, 300), (5, 15)):
        clock.at(NOW - timedelta(minutes=minutes))
        new = factories.new_order(
            None,
            None,
            pickup_in=clock.now + timedelta(minutes=due, seconds=-1) - datetime.now(UTC),
            channel="wolt",
        )
        create_order(new, kitchen=harju, actor="key:wolt")
    clock.at(NOW - timedelta(hours=5))
    for _ in range(6):
        order = create_order(
            factories.new_order(None, pickup_in=clock.now + timedelta(minutes=20) - datetime.now(UTC)),
            kitchen=harju,
            actor="key:wolt",
        )
        clock.at(clock.now + timedelta(seconds=1))
        move_order(order.id, READY, actor="screen:expo")
    clock.at(NOW)
    refresh_all()


def refresh_all() -> None:
    """Refresh in a test's open transaction, of which the feed otherwise returns nothing."""
    beyond = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1, false"
    with mock.patch("orders.watermark._READ", beyond):
        refresh()


def manager(*permissions: str, username: str = "anna") -> Client:
    user = User.objects.create_user(username, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def sql(query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def context(client: Client, query: str = "") -> Any:
    return client.get(f"/admin/analytics/?{query}").context


def panels(context: Any) -> dict[str, Any]:
    lists = [panel for name in ("charts", "times", "products", "shares") for panel in context[name]]
    return {panel.id: panel for panel in (context["rush"], context["weekdays"], *lists)}


def column(panel: Any, key: str) -> dict[str, Any]:
    (values,) = (column.values for column in panel.columns if column.key == key)
    return dict(zip(panel.keys, values, strict=True))


def cells(page: str, panel: str) -> list[list[str]]:
    """The body of a panel's table, as text."""
    (section,) = re.findall(rf'id="panel-{panel}">(.*?)</section>', page, re.S)
    (body,) = re.findall(r"<tbody>(.*?)</tbody>", section, re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
        for row in rows
    ]


class DashboardCase(TestCase):
    """Tests on one history, simulated once for each class."""

    @classmethod
    def setUpTestData(cls) -> None:
        clock = Clock()
        with mock.patch("orders.clock.now", side_effect=lambda: clock.now):
            simulate_history(clock)

    def setUp(self) -> None:
        figures.cache_clear()
        self.addCleanup(figures.cache_clear)
        self.clock = Clock()
        patch = mock.patch("orders.clock.now", side_effect=lambda: self.clock.now)
        patch.start()
        self.addCleanup(patch.stop)
        self.seen = manager("view_order", "work_everywhere")
