"""The numbers on the dashboard equal plain SQL over a simulated history."""

import re
from datetime import timedelta

import pytest

from tests.dashboard_history import IN_RANGE, LOCAL, NOW, DashboardCase, column, context, panels, sql

pytestmark = pytest.mark.django_db


class TestNumbers(DashboardCase):
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
        assert [(station.name, station.period_ranges, station.late) for station in found["stations_now"]] == [
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
