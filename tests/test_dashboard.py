"""The numbers on the dashboard equal plain SQL over a made history; who sees it, and what it costs."""

import csv
import io
import random
import re
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest import mock

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext

from analytics.dashboard.figures import forget_figures
from analytics.refresh import refresh
from kitchen_display.models import Station, StationRule
from orders.models import Brand, Kitchen, KitchenMember
from orders.recall import recall
from orders.services import create_order, move_item, move_order
from orders.tests import factories

pytestmark = pytest.mark.django_db
# A Wednesday, 15:30 in Helsinki; the clocks there went back on 25 October.


NOW = datetime(2026, 11, 4, 13, 30, tzinfo=UTC)


HELSINKI = zoneinfo.ZoneInfo("Europe/Helsinki")


LOCAL = "AT TIME ZONE 'Europe/Helsinki'"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def at(self, moment: datetime) -> None:
        self.now = moment


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    forget_figures()
    with mock.patch("orders.clock.now", side_effect=lambda: clock.now):
        yield clock
    forget_figures()


def live(clock: Clock, kitchen: Kitchen, begun: datetime, dice: random.Random) -> None:
    """The life of an order, made at `begun`."""
    clock.at(begun)
    new = factories.new_order(
        *([None] * dice.randint(1, 3)),
        pickup_in=begun + timedelta(minutes=dice.choice((5, 20, 90))) - datetime.now(UTC),
        account=f"acc-{dice.randint(1, 25)}",
        brand_id=dice.choice(("burgers", "sushi")),
        channel=dice.choice(("wolt", "foodora", "")),
    )
    order = create_order(new, kitchen=kitchen, actor="key:wolt")
    fate = dice.random()
    if fate < 0.1:
        move_order(order.id, 5, actor="user:anna")
        return
    if fate > 0.4:
        clock.at(clock.now + timedelta(minutes=dice.randint(1, 9)))
        move_order(order.id, 2, actor="screen:grill")
    clock.at(clock.now + timedelta(minutes=dice.randint(1, 15), seconds=dice.randint(0, 59)))
    move_item(order.id, "P0", 3, actor="screen:grill")
    move_order(order.id, 3, actor="screen:expo")
    if fate > 0.9:
        recall(order.id, actor="screen:expo")
        move_order(order.id, 3, actor="screen:expo")
    clock.at(clock.now + timedelta(minutes=dice.randint(1, 15)))
    move_order(order.id, 4, actor="screen:expo")


def make_history(clock: Clock) -> None:
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
                begun = NOW - timedelta(days=days, minutes=dice.randint(0, 24 * 60 - 1))
                live(clock, kitchen, begun, dice)
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
        move_order(order.id, 3, actor="screen:expo")
    clock.at(NOW)
    refresh_all()


def refresh_all() -> None:
    """The feed gives nothing of a transaction that is still open, as that of a test is."""
    beyond = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1, false"
    with mock.patch("orders.horizon._ASK", beyond):
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


def panels(found: Any) -> dict[str, Any]:
    lists = [panel for name in ("charts", "times", "products", "shares") for panel in found[name]]
    return {panel.id: panel for panel in (found["rush"], found["weekdays"], *lists)}


def column(panel: Any, key: str) -> dict[str, Any]:
    (values,) = (column.values for column in panel.columns if column.key == key)
    return dict(zip(panel.keys, values, strict=True))


IN_RANGE = f"kitchen_id = 'harju' AND (created_at {LOCAL})::date BETWEEN '2026-10-08' AND '2026-11-04'"


def cells(page: str, panel: str) -> list[list[str]]:
    """The body of a panel's table, as text."""
    (section,) = re.findall(rf'id="panel-{panel}">(.*?)</section>', page, re.S)
    (body,) = re.findall(r"<tbody>(.*?)</tbody>", section, re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
        for row in rows
    ]


@pytest.mark.parametrize("kitchens", [0, 1])
def test_an_empty_kitchen_says_so(clock: Clock, kitchens: int) -> None:
    for _ in range(kitchens):
        factories.kitchen()
    page = manager("view_order", "work_everywhere").get("/admin/?range=28")
    assert page.status_code == 200
    text = page.content.decode()
    if kitchens:
        assert text.count("No orders in this range yet.") >= 6
        assert "No figures yet" in text
    else:
        assert "There is no kitchen yet" in text


class TestDashboard(TestCase):
    """All of it on one history, which is made once."""

    @classmethod
    def setUpTestData(cls) -> None:
        clock = Clock()
        with mock.patch("orders.clock.now", side_effect=lambda: clock.now):
            make_history(clock)

    def setUp(self) -> None:
        forget_figures()
        self.addCleanup(forget_figures)
        self.clock = Clock()
        patch = mock.patch("orders.clock.now", side_effect=lambda: self.clock.now)
        patch.start()
        self.addCleanup(patch.stop)
        self.seen = manager("view_order", "work_everywhere")

    def test_orders_by_day_are_those_of_the_kitchens_own_days(self) -> None:
        page = panels(context(self.seen, "range=28&kitchen=harju"))

        truth = sql(
            f"SELECT (created_at {LOCAL})::date, count(*) FROM orders_order WHERE {IN_RANGE} GROUP BY 1"
        )

        assert {day: number for day, number in column(page["days"], "orders").items() if number} == {
            day.isoformat(): number for day, number in truth
        }
        assert len(page["days"].rows) == 28

    def test_late_and_cancelled_are_told_by_brand_and_channel(self) -> None:
        page = panels(context(self.seen, "range=28&kitchen=harju"))

        for panel, name in (("brands", "brand_id"), ("channels", "channel")):
            truth = sql(
                f"""
                SELECT {name}, count(*), count(*) FILTER (WHERE status = 5), count(*) FILTER (WHERE EXISTS (
                    SELECT FROM orders_statuschange c WHERE c.order_id = o.id AND plu IS NULL AND at > due_at
                    AND to_status IN (3, 4) AND coalesce(from_status, 0) NOT IN (3, 4)))
                FROM orders_order o WHERE {IN_RANGE} GROUP BY 1
                """
            )
            found = page[panel]
            assert {
                key: (
                    column(found, "orders")[key],
                    column(found, "cancelled")[key],
                    column(found, "late")[key],
                )
                for key in found.keys
            } == {key: tuple(rest) for key, *rest in truth}
            for key, orders, cancelled, late in truth:
                assert column(found, "lateShare")[key] == late / orders
                assert column(found, "cancelledShare")[key] == cancelled / orders
        assert "Burger Home" in page["brands"].rows
        assert "not named" in page["channels"].rows

    def test_times_in_status_are_those_that_ended_on_the_day(self) -> None:
        page = panels(context(self.seen, "range=28&kitchen=harju"))

        for status, name in ((1, "received"), (2, "preparing"), (3, "ready")):
            truth = sql(
                f"""
                WITH steps AS (
                    SELECT at, lag(at) OVER chain AS before, lag(to_status) OVER chain AS status
                    FROM orders_statuschange c JOIN orders_order o ON o.id = c.order_id
                    WHERE plu IS NULL AND kitchen_id = 'harju' WINDOW chain AS (PARTITION BY order_id ORDER BY c.sequence)
                )
                SELECT (at {LOCAL})::date, count(*),
                       percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM at - before))
                FROM steps WHERE status = %s AND (at {LOCAL})::date BETWEEN '2026-10-08' AND '2026-11-04' GROUP BY 1
                """,
                status,
            )
            panel = page[f"time-{name}"]
            assert truth
            assert {day: number for day, number in column(panel, "count").items() if number} == {
                day.isoformat(): number for day, number, _shares in truth
            }
            for day, _number, (half, nine) in truth:
                assert column(panel, "p50Seconds")[day.isoformat()] == pytest.approx(float(half), rel=0.0201)
                assert column(panel, "p90Seconds")[day.isoformat()] == pytest.approx(float(nine), rel=0.0201)

    def test_products_are_counted_by_the_orders_that_have_them(self) -> None:
        page = panels(context(self.seen, "range=28&kitchen=harju"))

        truth = sql(
            f"SELECT brand_id, plu, count(*) FROM orders_order o JOIN orders_orderitem i ON i.order_id = o.id WHERE {IN_RANGE}"
            " GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        )
        most = page["most-ordered"]
        values = {column.key: column.values for column in most.columns}
        brand = {"burgers": "Burger Home"}
        assert list(zip(values["brand"], most.keys, values["orders"], strict=True)) == [
            (brand.get(brand_id, brand_id), plu, number) for brand_id, plu, number in truth
        ]
        assert most.rows[0] == "Dish 0"
        assert values["station"][0] == "Grill"
        (grill, others) = page["stations"].rows
        assert (grill, others) == ("Grill", "No station")
        assert sum(column(page["stations"], "items").values()) == sum(number for *_key, number in truth)
        slow = {column.key: column.values for column in page["slowest"].columns}["p50Seconds"]
        assert list(slow) == sorted(slow, reverse=True)

    def test_today_is_held_against_the_average_of_the_same_weekday(self) -> None:
        found = context(self.seen, "kitchen=harju")
        rush = panels(found)["rush"]

        def by_hour(days: str) -> dict[str, int]:
            rows = sql(
                f"SELECT extract(hour FROM created_at {LOCAL})::int, count(*) FROM orders_order WHERE kitchen_id = 'harju' "
                f"AND (created_at {LOCAL})::date IN ({days}) GROUP BY 1"
            )
            return {f"{hour:02d}:00": number for hour, number in rows}

        today, before = (
            by_hour("'2026-11-04'"),
            by_hour("'2026-10-28', '2026-10-21', '2026-10-14', '2026-10-07'"),
        )
        assert {hour: number for hour, number in column(rush, "orders").items() if number} == today
        assert {hour: number for hour, number in column(rush, "before").items() if number} == {
            hour: number / 4 for hour, number in before.items()
        }
        assert rush.title == "Today by hour"
        assert rush.columns[1].title == "Average of the last 4 Wednesdays"
        assert column(rush, "orders").get("16:00") is None, "an hour to come is no hour without orders"
        orders = found["summary"].facts[0]
        ended = sum(number for hour, number in before.items() if hour < "15:00")
        assert (orders.value, orders.before) == (sum(today.values()), ended / 4)
        assert found["summary"].text == "Before: average of the last 4 Wednesdays, until 15:00."

    def test_a_longer_range_is_held_against_the_weeks_before(self) -> None:
        found = context(self.seen, "range=7&kitchen=harju")
        (row,) = sql(
            f"""
            SELECT count(*) FROM orders_order WHERE kitchen_id = 'harju'
            AND created_at {LOCAL} >= '2026-10-22' AND created_at {LOCAL} < '2026-10-28 15:00'
            """
        )
        assert found["summary"].facts[0].before == row[0]

    def test_the_heat_map_has_averages_of_whole_days(self) -> None:
        panel = panels(context(self.seen, "kitchen=harju"))["weekdays"]
        truth = sql(
            f"""
            SELECT extract(isodow FROM created_at {LOCAL})::int, extract(hour FROM created_at {LOCAL})::int, count(*)
            FROM orders_order WHERE kitchen_id = 'harju'
            AND (created_at {LOCAL})::date BETWEEN '2026-10-07' AND '2026-11-03' GROUP BY 1, 2
            """
        )
        found = {
            (day, int(column.title)): value
            for column in panel.columns
            for day, value in enumerate(column.values, 1)
            if value
        }
        assert found == {(day, hour): number / 4 for day, hour, number in truth}

    def test_customers_are_new_or_returning_and_have_no_names(self) -> None:
        found = self.seen.get("/admin/analytics/?range=28&kitchen=harju")
        panel = panels(found.context)["customers"]
        truth = sql(
            f"""
            SELECT (first {LOCAL})::date, count(*) FROM (
                SELECT min(created_at) AS first FROM orders_order WHERE kitchen_id = 'harju' GROUP BY account
            ) AS customers WHERE (first {LOCAL})::date >= '2026-10-08' GROUP BY 1
            """
        )
        assert {day: number for day, number in column(panel, "firstOrders").items() if number} == {
            day.isoformat(): number for day, number in truth
        }
        assert "acc-" not in found.content.decode()
        assert "Ada" not in found.content.decode()

    def test_it_says_what_is_open_and_late_now_and_where(self) -> None:
        found = context(self.seen, "kitchen=harju")

        late, to_make, ready, _oldest, later = found["tiles"]
        assert (late.value, late.look, to_make.value, ready.value, later.value) == (
            "2",
            "late",
            "3",
            "6",
            "1",
        )
        assert len(self.seen.get(late.url).context["cl"].result_list) == 2
        assert [each["by"] for each in found["late_orders"]] == ["30 min", "20 min"]
        assert [(station.name, station.pieces, station.late) for station in found["stations_now"]] == [
            ("", 3, 2),
            ("Grill", 3, 2),
        ]

    def test_several_kitchens_stand_below_each_other_and_beside_their_stations_and_late_orders(self) -> None:
        found = self.seen.get("/admin/analytics/")
        page = found.content.decode()
        (now,) = re.findall(r'id="now".*?</table>', page, re.S)
        assert re.findall(r'<th scope="row">(.*?)</th>', now) == ["Harju", "Queens"]
        assert re.findall(r"kitchen=harju[^>]*>(.*?)</a>", now)[:3] == ["2", "3", "6"]
        assert {each["kitchen"] for each in found.context["late_orders"]} == {"Harju"}
        assert page.count('<span class="huuva-quiet">Harju</span>') == len(found.context["stations_now"])
        assert "Now, by kitchen" not in self.seen.get("/admin/analytics/?kitchen=harju").content.decode()

    def test_it_says_whether_the_figures_can_be_trusted(self) -> None:
        found = context(self.seen, "kitchen=harju")
        facts = {fact.key: fact for fact in found["trust"].facts}
        assert (facts["massMoves"].value, facts["massMoves"].watch) == (6, True)
        (burst,) = found["bursts"]
        assert (burst.orders, burst.actor, burst.at) == (6, "Screen expo", "Wed 4 Nov 10:30 EET")
        (skipped,) = sql(
            f"""
            SELECT count(*) FROM orders_order o WHERE kitchen_id = 'harju' AND (created_at {LOCAL})::date = '2026-11-04'
            AND EXISTS (SELECT FROM orders_statuschange c WHERE c.order_id = o.id AND plu IS NULL AND kind = 1
                        AND to_status <> 5 AND to_status > coalesce(from_status, 0) + 1)
            """
        )
        assert facts["skippedOrders"].value == skipped[0] == 6
        assert found["age"].text.startswith("Figures as of 15:30 EET")

    def test_old_figures_are_said_to_be_old(self) -> None:
        self.clock.at(NOW + timedelta(minutes=34))
        age = context(self.seen)["age"]
        assert age.old == "They are 34 min old: worker or beat does not run."

    def test_kitchens_of_several_zones_each_count_by_their_own_days(self) -> None:
        found = self.seen.get("/admin/analytics/?range=7")
        number = sum(
            sql(
                """
                SELECT count(*) FROM orders_order WHERE kitchen_id = %s
                AND (created_at AT TIME ZONE %s)::date BETWEEN '2026-10-29' AND '2026-11-04'
                """,
                kitchen,
                zone,
            )[0][0]
            for kitchen, zone in (("harju", "Europe/Helsinki"), ("queens", "America/New_York"))
        )
        assert found.context["summary"].facts[0].value == number
        assert "America/New_York, Europe/Helsinki" in found.content.decode()

    def test_a_brand_is_looked_at_alone(self) -> None:
        found = context(self.seen, "range=28&kitchen=harju&brand=sushi")
        (row,) = sql(f"SELECT count(*) FROM orders_order WHERE brand_id = 'sushi' AND {IN_RANGE}")
        assert found["summary"].facts[0].value == row[0]
        assert panels(found)["brands"].keys == ["sushi"]

    def test_charts_tables_and_csv_have_the_same_numbers(self) -> None:
        response = self.seen.get("/admin/analytics/?range=28&kitchen=harju")
        page = response.content.decode()
        for panel in panels(response.context).values():
            table = cells(page, panel.id)
            assert table == [[name, *texts] for name, texts in panel.table]
            answer = self.seen.get(f"/admin/analytics/{panel.id}.csv?{response.context['query']}")
            rows = list(csv.reader(io.StringIO(answer.content.decode())))
            assert [row[0] for row in rows[1:]] == list(panel.keys)
            assert rows[0][1:] == [column.key for column in panel.columns]
            if panel.chart and panel.id != "weekdays":
                data = orjson.loads(
                    re.findall(rf'<script id="{panel.data_id}"[^>]*>(.*?)</script>', page, re.S)[0]
                )
                assert data["rows"] == [row[0] for row in table]
                titles = [column.title for column in panel.shown]
                for series in data["series"]:
                    place = 1 + titles.index(series["title"])
                    assert series["texts"] == [row[place] for row in table]

    def test_every_table_has_a_caption_and_scopes(self) -> None:
        page = self.seen.get("/admin/analytics/?range=28").content.decode()
        tables = re.findall(r"<table.*?</table>", page, re.S)
        assert len(tables) >= 12
        for table in tables:
            assert "<caption" in table
            assert "<th>" not in table
            assert 'scope="col"' in table

    def test_the_page_takes_twelve_queries_and_looks_at_no_order_that_is_over(self) -> None:
        for path in ("/admin/", "/admin/analytics/?range=90"):
            forget_figures()
            with CaptureQueriesContext(
                connection,
            ) as found:
                assert self.seen.get(path).status_code == 200
            assert len(found) <= 12
            touching = [query["sql"] for query in found.captured_queries if "orders_order" in query["sql"]]
            assert len(touching) == 1
            assert "status IN (1, 2, 3)" in touching[0]
            assert not [query for query in found.captured_queries if "statuschange" in query["sql"]]

    def test_figures_are_read_once_while_the_rollups_stay(self) -> None:
        self.seen.get("/admin/")
        with CaptureQueriesContext(connection) as found:
            self.seen.get("/admin/")
        assert not [query for query in found.captured_queries if "hourlythroughput" in query["sql"]]

    def test_without_permission_there_are_no_figures(self) -> None:
        client = manager(username="bert")
        page = client.get("/admin/")
        assert page.status_code == 200
        assert "question" not in page.context
        assert "Late now" not in page.content.decode()
        assert client.get("/admin/analytics/").status_code == 403
        assert client.get("/admin/analytics/days.csv").status_code == 403
        assert Client().get("/admin/analytics/").status_code == 302

    def test_who_may_see_sums_alone_gets_no_links_to_orders(self) -> None:
        client = manager("view_dashboard", "work_everywhere", username="bert")
        page = client.get("/admin/")
        assert page.context["tiles"][0].value == "2"
        assert page.context["late_orders"] == []
        assert "/admin/orders/order/" not in page.content.decode()

    def test_a_manager_of_no_kitchen_sees_no_figures(self) -> None:
        client = manager("view_order", username="bert")
        assert "There is no kitchen yet whose orders you may see." in client.get("/admin/").content.decode()
        for panel in ("most-ordered", "slowest", "stations", "brands", "channels", "days"):
            rows = list(
                csv.DictReader(io.StringIO(client.get(f"/admin/analytics/{panel}.csv").content.decode()))
            )
            assert [row for row in rows if row.get("orders", row.get("items")) != "0"] == []
        with mock.patch("analytics.dashboard.reads.products", side_effect=AssertionError):
            forget_figures()
            client.get("/admin/")

    def test_a_manager_of_one_kitchen_sees_its_figures_alone(self) -> None:
        client = manager("view_order", username="bert")
        KitchenMember.objects.create(user=User.objects.get(username="bert"), kitchen_id="queens")
        with CaptureQueriesContext(connection) as queries:
            alone = context(client, "range=28")
        assert len(queries) <= 12
        other = context(client, "range=28&kitchen=harju")
        for found in (alone, other):
            assert [kitchen.slug for kitchen in found["question"].kitchens] == ["queens"]
            assert found["tiles"][1].value == "0"
        assert other["question"].errors
        (row,) = sql(
            "SELECT count(*) FROM orders_order WHERE kitchen_id = 'queens' AND "
            "(created_at AT TIME ZONE 'America/New_York')::date BETWEEN '2026-10-08' AND '2026-11-04'"
        )
        assert alone["summary"].facts[0].value == row[0]

    def test_odd_queries_are_no_errors(self) -> None:
        for query in ("range=x", "from=2026-13-01", "brand=%ff", "to=0001-01-01", "from=9999-12-31"):
            for path in ("", "days.csv"):
                assert self.seen.get(f"/admin/analytics/{path}?{query}").status_code == 200

    def test_a_panel_that_is_not_there_is_not_found(self) -> None:
        assert self.seen.get("/admin/analytics/nothing.csv").status_code == 404

    def test_csv_is_in_seconds_and_shares_whatever_the_language(self) -> None:
        answer = self.seen.get(
            "/admin/analytics/time-ready.csv?range=28&kitchen=harju", headers={"accept-language": "fi"}
        )
        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert len(rows) == 28
        assert date.fromisoformat(rows[0]["day"]) == date(2026, 10, 8)
        assert all(re.fullmatch(r"\d*\.?\d*", row["p50Seconds"]) for row in rows)
        assert "huuva-time-ready-2026-10-08-2026-11-04.csv" in answer["Content-Disposition"]
