"""How the dashboard shows its numbers, who may see it, and what it costs."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from unittest import mock

import orjson
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.dashboard.figures import figures
from orders.models import KitchenMember
from orders.tests import factories
from tests.dashboard_history import Clock, DashboardCase, cells, context, manager, panels, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    figures.cache_clear()
    with mock.patch("orders.clock.now", side_effect=lambda: clock.now):
        yield clock
    figures.cache_clear()


@pytest.mark.parametrize("kitchens", [0, 1])
def test_an_empty_kitchen_is_shown_as_such(clock: Clock, kitchens: int) -> None:
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


class TestPages(DashboardCase):
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

    def test_the_page_takes_twelve_queries_and_reads_open_orders_only(self) -> None:
        for path in ("/admin/", "/admin/analytics/?range=90"):
            figures.cache_clear()
            with CaptureQueriesContext(connection) as queries:
                assert self.seen.get(path).status_code == 200
            assert len(queries) <= 12
            touching = [query["sql"] for query in queries.captured_queries if "orders_order" in query["sql"]]
            assert len(touching) == 1
            assert "status IN (1, 2, 3)" in touching[0]
            assert not [query for query in queries.captured_queries if "statuschange" in query["sql"]]

    def test_figures_are_read_once_while_the_rollups_stay(self) -> None:
        self.seen.get("/admin/")
        with CaptureQueriesContext(connection) as queries:
            self.seen.get("/admin/")
        assert not [query for query in queries.captured_queries if "hourlythroughput" in query["sql"]]

    def test_without_permission_there_are_no_figures(self) -> None:
        client = manager(username="bert")
        page = client.get("/admin/")
        assert page.status_code == 200
        assert "filters" not in page.context
        assert "Late now" not in page.content.decode()
        assert client.get("/admin/analytics/").status_code == 403
        assert client.get("/admin/analytics/days.csv").status_code == 403
        assert Client().get("/admin/analytics/").status_code == 302

    def test_a_user_who_may_see_sums_only_gets_no_links_to_orders(self) -> None:
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
            figures.cache_clear()
            client.get("/admin/")

    def test_a_manager_of_one_kitchen_sees_its_figures_alone(self) -> None:
        client = manager("view_order", username="bert")
        KitchenMember.objects.create(user=User.objects.get(username="bert"), kitchen_id="queens")
        with CaptureQueriesContext(connection) as queries:
            alone = context(client, "range=28")
        assert len(queries) <= 12
        other = context(client, "range=28&kitchen=harju")
        for page in (alone, other):
            assert [kitchen.slug for kitchen in page["filters"].kitchens] == ["queens"]
            assert page["tiles"][1].value == "0"
        assert other["filters"].errors
        (row,) = sql(
            "SELECT count(*) FROM orders_order WHERE kitchen_id = 'queens' AND "
            "(created_at AT TIME ZONE 'America/New_York')::date BETWEEN '2026-10-08' AND '2026-11-04'"
        )
        assert alone["summary"].facts[0].value == row[0]

    def test_wrong_queries_raise_no_errors(self) -> None:
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
