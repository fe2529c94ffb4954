"""The analytics API: what each call answers, to whom, in which form, and what it costs."""

import csv
import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pydantic import RootModel

from analytics.api import outputs
from analytics.models import Progress
from analytics.refresh import refresh
from integrations.tests import factories as keys
from orders import feed
from orders.models import Kitchen, Order
from orders.services import move_order
from orders.statuses import PREPARING, READY
from orders.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
REPORTS: dict[str, type[RootModel[Any]]] = {
    "order-status-durations": outputs.OrderStatusDurations,
    "item-status-durations": outputs.ItemStatusDurations,
    "hourly-throughput": outputs.HourlyThroughputs,
    "customer-order-counts": outputs.CustomerOrderCounts,
}
every_report = pytest.mark.parametrize("name", REPORTS)


def client(scopes: tuple[str, ...] = ("analytics:read",), kitchen: Kitchen | None = None) -> Client:
    _, plain = keys.api_key("manager", scopes, kitchen=kitchen)
    return Client(headers={"authorization": f"Bearer {plain}"})


def get(client: Client, name: str, **more: Any) -> HttpResponse:
    return client.get(f"/api/analytics/{name}", **more)


def refresh_all() -> None:
    """Other transactions of this server, of a stack that a test has started, hide the newest changes for a moment."""
    deadline = time.monotonic() + 30
    while feed.lag_seconds() and time.monotonic() < deadline:
        time.sleep(0.01)
    refresh()


@pytest.fixture
def manager() -> Iterator[Client]:
    """A key for all kitchens; two kitchens have sold something."""
    for order in (factories.order(), factories.order(None, of=factories.kitchen("harju"), brand_id="sushi")):
        move_order(order.id, PREPARING, actor="user:anna")
        move_order(order.id, READY, actor="user:anna")
    refresh_all()
    return client()


@every_report
def test_reports_have_the_shape_that_is_described(manager: Client, name: str) -> None:
    answer = get(manager, name)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert len(REPORTS[name].model_validate(answer.json()).root) >= 1
    slashed = manager.get(f"/api/analytics/{name}/")
    assert (slashed.status_code, slashed.content) == (200, answer.content)


def test_the_figures_themselves(manager: Client) -> None:
    statuses = get(manager, "order-status-durations").json()
    assert [(row["status"], row["count"]) for row in statuses] == [("RECEIVED", 2), ("PREPARING", 2)]
    items = get(manager, "item-status-durations").json()
    assert [(row["status"], row["count"]) for row in items] == [("ORDERED", 4), ("PREPARING", 4)]
    assert [row["count"] for row in get(manager, "item-status-durations?plu=P2").json()] == [1, 1]
    hours = get(manager, "hourly-throughput").json()
    assert sum(row["orderCount"] for row in hours) == 2
    assert all(row["hour"].endswith(":00:00Z") for row in hours)
    (customer,) = get(manager, "customer-order-counts").json()
    assert (customer["account"], customer["orderCount"]) == ("acc-1", 2)
    assert customer["firstOrderAt"] < customer["lastOrderAt"]


@every_report
@pytest.mark.parametrize("query", ["kitchen=harju", "brandId=sushi", "kitchen=harju&brandId=sushi"])
def test_filters_narrow_every_report(manager: Client, name: str, query: str) -> None:
    assert 0 < total(get(manager, f"{name}?{query}")) < total(get(manager, name))
    assert total(get(manager, f"{name}?{query}&from=2020-01-01T00:00:00Z")) == total(
        get(manager, f"{name}?{query}")
    )
    assert get(manager, f"{name}?kitchen=main&brandId=sushi").json() == []
    assert get(manager, f"{name}?{query}&to=2020-01-01T00:00:00%2B02:00").json() == []


def total(answer: HttpResponse) -> int:
    return sum(row["orderCount" if "orderCount" in row else "count"] for row in answer.json())


@every_report
def test_a_key_of_one_kitchen_sees_that_kitchen_only(manager: Client, name: str) -> None:
    cook = client(kitchen=Kitchen.objects.get(slug="harju"))
    assert get(cook, name).json() == get(manager, f"{name}?kitchen=harju").json()
    assert get(cook, f"{name}?kitchen=harju").json() == get(cook, name).json()
    for query in ("kitchen=main", "kitchen=main&from=2020-01-01T00:00:00Z"):
        assert get(cook, f"{name}?{query}").json() == []


@every_report
def test_csv_holds_the_same_under_the_same_names(manager: Client, name: str) -> None:
    answer = get(manager, name, headers={"accept": "text/csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    expected = get(manager, name).json()
    assert rows == [
        {key: "" if value is None else str(value) for key, value in row.items()} for row in expected
    ]
    assert "Accept" in answer["Vary"]


@pytest.mark.parametrize(
    "accept, kind",
    [
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        ("application/json, text/csv;q=0.9", "application/json"),
        ("application/json;q=0.1, text/csv", "text/csv"),
        ("nonsense", "application/json"),
    ],
)
def test_the_form_is_what_is_asked_for_first(manager: Client, accept: str, kind: str) -> None:
    answer = get(manager, "hourly-throughput", headers={"accept": accept})
    assert answer["Content-Type"].partition(";")[0] == kind


def test_csv_holds_no_formulas() -> None:
    factories.order(None, account='=HYPERLINK("x")')
    refresh_all()
    answer = get(client(), "customer-order-counts", headers={"accept": "text/csv"})
    assert answer.content.splitlines()[1].startswith(b"\"'=HYPERLINK(")


@every_report
def test_every_wrong_parameter_is_named(manager: Client, name: str) -> None:
    answer = get(manager, f"{name}?from=yesterday&to=2026-05-01T10:00:00&kitchen=%00&brandId={'x' * 129}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid_parameter"
    assert [error["pointer"] for error in problem["errors"]] == ["?from", "?to", "?kitchen", "?brandId"]


@pytest.mark.parametrize(
    "query, wrong",
    [
        ("hourly-throughput?limit=0", "?limit"),
        ("hourly-throughput?limit=1001", "?limit"),
        ("hourly-throughput?limit=", "?limit"),
        ("customer-order-counts?limit=ten", "?limit"),
        ("customer-order-counts?limit=²", "?limit"),
        ("order-status-durations?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", "?to"),
        ("item-status-durations?plu=%00", "?plu"),
    ],
)
def test_what_is_wrong_is_named(manager: Client, query: str, wrong: str) -> None:
    answer = get(manager, query)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [wrong]


def test_hours_that_a_range_touches_count_as_a_whole(manager: Client) -> None:
    hours = get(manager, "hourly-throughput").json()
    newest = datetime.fromisoformat(hours[0]["hour"])
    since, until = newest + timedelta(minutes=59), newest + timedelta(minutes=59, seconds=1)
    query = f"hourly-throughput?from={since:%Y-%m-%dT%H:%M:%SZ}&to={until:%Y-%m-%dT%H:%M:%SZ}"
    assert get(manager, query).json() == hours[:1]


def test_limits(manager: Client) -> None:
    kitchen, past = factories.kitchen(), datetime(2026, 5, 1, 12, tzinfo=UTC)
    for number in range(26):
        factories.order(None, of=kitchen, account=f"acc {number}", created_at=past + timedelta(hours=number))
    refresh_all()
    assert len(get(manager, "hourly-throughput").json()) == 24
    assert len(get(manager, "hourly-throughput?limit=3").json()) == 3
    assert len(get(manager, "customer-order-counts?limit=26").json()) == 26


@every_report
def test_last_modified_is_the_last_refresh(manager: Client, name: str) -> None:
    modified = parsedate_to_datetime(get(manager, name)["Last-Modified"])
    assert modified == Progress.objects.get().refreshed_at.replace(microsecond=0)


@every_report
def test_unchanged_figures_are_a_304(manager: Client, name: str) -> None:
    first = get(manager, name)
    known = {"if-none-match": first["ETag"]}
    again = get(manager, name, headers=known)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert "Content-Type" not in again and "Accept" in again["Vary"]
    since = {"if-modified-since": first["Last-Modified"]}
    again = get(manager, name, headers=since)
    assert (again.status_code, again["Last-Modified"]) == (304, first["Last-Modified"])
    assert get(manager, name, headers={**known, "accept": "text/csv"}).status_code == 200, "another form"
    assert get(manager, name, headers={**since, "if-none-match": '"other"'}).status_code == 200
    for nonsense in ("yesterday", "", "Thu, 99 Feb 2026 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"):
        assert get(manager, name, headers={"if-modified-since": nonsense}).status_code == 200
    # A minute later, and nothing has changed: the tag is the same.
    later = Progress.objects.get().refreshed_at + timedelta(minutes=1)
    with mock.patch("orders.clock.now", return_value=later):
        refresh_all()
    assert get(manager, name, headers=known).status_code == 304
    assert get(manager, name, headers=since).status_code == 200
    factories.order(None)
    move_order(Order.objects.latest("created_at").pk, PREPARING, actor="user:anna")
    refresh_all()
    changed = get(manager, name, headers=known)
    assert changed.status_code == 200 and changed["ETag"] != first["ETag"]


@every_report
def test_before_the_first_refresh_reports_are_empty(name: str) -> None:
    answer = get(client(), name)
    assert (answer.status_code, answer.json()) == (200, [])
    assert "Last-Modified" not in answer


def test_refresh_now(manager: Client) -> None:
    factories.order(None)
    answer = manager.post("/api/analytics/refresh")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["changes"], body["complete"]) == (2, True)
    assert datetime.fromisoformat(body["refreshedAt"]) == Progress.objects.get().refreshed_at
    assert manager.post("/api/analytics/refresh/").json()["changes"] == 0
    assert get(manager, "customer-order-counts").json()[0]["orderCount"] == 3, "no old answer"


def test_the_old_name_of_refresh_still_works_and_says_so(manager: Client) -> None:
    factories.order(None)
    answer = get(manager, "refresh-materialized-views")
    assert (answer.status_code, answer.json()["changes"]) == (200, 2)
    assert answer["Deprecation"].startswith("@")
    assert answer["Link"] == '</api/analytics/refresh>; rel="successor-version"'
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", [*REPORTS, "refresh-materialized-views"])
def test_who_may_not(name: str) -> None:
    assert get(Client(), name).status_code == 401
    answer = get(client(("orders:read",)), name)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    wrong = client().post(f"/api/analytics/{name}")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")


def test_reports_cost_two_statements_and_a_cached_answer_one(manager: Client) -> None:
    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert get(manager, path).status_code == 200
        return len(captured)

    get(manager, "order-status-durations?kitchen=harju")  # The key's look-up is kept from here on.
    for name in REPORTS:
        assert statements(name) == 2
        assert statements(name) == 1
        range_ = statements(f"{name}?from=2020-01-01T00:00:00Z&to=2030-01-02T10:30:00Z&kitchen=main")
        assert range_ == (4 if name == "customer-order-counts" else 2)
