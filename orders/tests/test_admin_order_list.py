from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders import services
from orders.models import Order
from orders.statuses import PICKED_UP, READY, RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"


def shown(client: Client, **query: Any) -> list[str]:
    """The channel order ids of the list's first page under this query."""
    page = client.get(LIST, query)
    assert page.status_code == 200, page.headers
    return [order.channel_order_id for order in page.context["cl"].result_list]


def test_a_row_shows_number_status_brand_channel_kitchen_and_local_times(manager: Client) -> None:
    factories.brand(colour="#d97706")
    factories.order(channel="wolt", channel_display_id="#417", of=factories.kitchen("main", name="Harju"))

    page = manager.get(LIST).content.decode()

    for text in ("#417", "Received", "Burger House", 'fill="#d97706"', "wolt", "Harju", "EET", "0 s"):
        assert text in page or (text == "EET" and "EEST" in page), text
    assert " late" not in page


def test_a_brand_that_nobody_has_named_is_shown_by_its_id(manager: Client) -> None:
    factories.order(brand_id="60bfc6dc4887c9851d5a0245")

    assert "60bfc6dc4887c9851d5a0245" in manager.get(LIST).content.decode()


def test_an_open_order_past_its_due_time_is_marked_late_until_it_is_ready(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = factories.order(pickup_in=timedelta(minutes=10))
    later = datetime.now(UTC) + timedelta(minutes=22)
    monkeypatch.setattr("orders.clock.now", lambda: later)

    assert "12 min late" in manager.get(LIST).content.decode()
    assert shown(manager, late="yes") == ["TEST-1"]

    services.move_order(order.id, READY, actor="key:test")
    assert "min late" not in manager.get(LIST).content.decode()
    assert shown(manager, late="yes") == []


def test_what_the_customer_wrote_is_text_and_never_markup(manager: Client) -> None:
    order = factories.order(
        channel_display_id="<b>1</b>",
        channel="<script>x</script>",
        note="<img src=x>",
        customer_name="<i>Ada</i>",
    )

    for path in (LIST, reverse("admin:orders_order_change", args=[order.id])):
        page = manager.get(path).content.decode()
        assert not any(bad in page for bad in ("<b>1</b>", "<script>x", "<img src=x>", "<i>Ada"))


def test_the_list_takes_the_same_few_statements_for_many_orders(manager: Client) -> None:
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as found:
            assert manager.get(LIST, {"q": "Ada", "status": "open"}).status_code == 200
        return [query["sql"] for query in found]

    factories.order(of=factories.kitchen("a"))
    few = statements()
    for number in range(12):
        factories.brand(f"b{number}", name=f"Brand {number}")
        factories.order(of=factories.kitchen(f"k{number}"), brand_id=f"b{number}", channel=f"c{number}")
    many = statements()

    assert len(many) == len(few) <= 10
    assert not any("COUNT(" in sql for sql in many)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["NEW", "DONE", "OTHER"]),
        ({"status": "1"}, ["NEW", "OTHER"]),
        # By urgency, as on the wall.
        ({"status": "open"}, ["OTHER", "NEW"]),
        ({"status": "4"}, ["DONE"]),
        ({"kitchen": "other"}, ["OTHER"]),
        ({"brand": "sushi"}, ["DONE"]),
        ({"brand": "nobody"}, []),
        ({"kitchen": "nowhere"}, []),
        ({"channel": "wolt"}, ["NEW"]),
        ({"channel": "wolt", "status": "4"}, []),
        (
            {"status": "nonsense", "late": "perhaps", "from": "long ago", "to": "9999-99-99"},
            ["NEW", "DONE", "OTHER"],
        ),
    ],
)
def test_the_list_filters(manager: Client, query: dict[str, str], found: list[str]) -> None:
    factories.order(of=factories.kitchen("other"), channel_order_id="OTHER")
    factories.order(status=PICKED_UP, brand_id="sushi", channel_order_id="DONE")
    factories.order(channel="wolt", channel_order_id="NEW")

    assert shown(manager, **query) == found


def test_days_are_those_of_the_kitchen(manager: Client) -> None:
    tokyo = factories.kitchen("tokyo", time_zone="Asia/Tokyo")
    late_evening = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)  # 2 March, 00:30 in Tokyo; 1 March in Helsinki
    factories.order(of=tokyo, channel_order_id="EVENING", created_at=late_evening)
    factories.kitchen("main")

    assert shown(manager, kitchen="tokyo", **{"from": "2026-03-02", "to": "2026-03-02"}) == ["EVENING"]
    assert shown(manager, kitchen="tokyo", **{"from": "2026-03-01", "to": "2026-03-01"}) == []
    assert shown(manager, **{"from": "2026-03-01", "to": "2026-03-01"}) == ["EVENING"]
    assert "Asia/Tokyo" in manager.get(LIST, {"kitchen": "tokyo"}).content.decode()


def test_a_manager_of_one_kitchen_chooses_its_days_and_its_channels(client: Client) -> None:
    factories.order(of=factories.kitchen("main"), channel="wolt")  # the first one of all, in Helsinki
    bert = User.objects.create_user("bert", is_staff=True)
    bert.user_permissions.add(Permission.objects.get(codename="view_order"))
    tokyo = factories.kitchen("tokyo", time_zone="Asia/Tokyo")
    bert.kitchens.create(kitchen=tokyo)
    factories.order(of=tokyo, channel="demae")
    client.force_login(bert)

    page = client.get(LIST).content.decode()

    assert "Asia/Tokyo" in page and "Europe/Helsinki" not in page
    assert "channel=demae" in page and "wolt" not in page


def test_a_day_that_is_chosen_keeps_the_other_filters_and_the_search(manager: Client) -> None:
    page = manager.get(LIST, {"status": "open", "q": "Ada", "from": "2026-03-01"}).content.decode()

    assert '<input type="hidden" name="status" value="open">' in page
    assert '<input type="hidden" name="q" value="Ada">' in page
    assert '<input type="date" name="from" value="2026-03-01">' in page


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("W-1001", True),
        ("  W-1001 ", True),
        ("w-1001", False),
        ("#417", True),
        ("417", True),
        ("41", False),
        ("order-abcdef", True),
        ("order-abc", True),
        ("rder-abcdef", False),
        ("account-7", True),
        ("account", False),
        ("virtanen", True),
        ("Anna V", True),
        ("+358401234567", True),
        ("040 123 4567", True),
        ("1234", True),
        ("%", False),
        ("nobody", False),
    ],
)
def test_search_finds_by_any_name_that_people_use(manager: Client, term: str, found: bool) -> None:
    factories.order(
        id="order-abcdef",
        account="account-7",
        channel_order_id="W-1001",
        channel_display_id="#417",
        customer_name="Anna Virtanen",
        customer_phone="+358401234567",
    )

    assert shown(manager, q=term) == (["W-1001"] if found else [])


def test_pages_go_on_without_a_count(manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.admin.orders.OrderAdmin.list_per_page", 2)
    for number in range(3):
        factories.order(channel_order_id=f"N{number}")

    first, second = manager.get(LIST).content.decode(), manager.get(LIST, {"p": 2}).content.decode()

    assert shown(manager) == ["N2", "N1"]
    assert shown(manager, p=2) == ["N0"]
    assert 'rel="next"' in first and 'rel="prev"' not in first
    assert 'rel="prev"' in second and 'rel="next"' not in second
    assert " results" not in first


@pytest.mark.parametrize(
    "query", ["p=0", "p=99999999", "p=x", "o=1.2", "all=", "e=1", "_facets=True", "nonsense=1"]
)
def test_odd_addresses_are_no_errors(manager: Client, query: str) -> None:
    factories.order()

    assert manager.get(f"{LIST}?{query}", follow=True).status_code == 200


def test_nothing_can_be_written(manager: Client) -> None:
    order = factories.order()
    page = reverse("admin:orders_order_change", args=[order.id])

    assert manager.get(f"{LIST}add/").status_code == 403
    assert manager.post(f"{LIST}add/", {"id": "x"}).status_code == 403
    assert manager.post(page, {"status": "4"}).status_code == 405
    assert (
        manager.post(reverse("admin:orders_order_delete", args=[order.id]), {"post": "yes"}).status_code
        == 403
    )
    manager.post(LIST, {"action": "delete_selected", "_selected_action": [order.id], "post": "yes"})
    stored = Order.objects.get()
    assert (stored.status, stored.version) == (RECEIVED, 1)


def test_staff_see_orders_only_with_the_permission(client: Client) -> None:
    order = factories.order()
    bert = User.objects.create_user("bert", is_staff=True)
    client.force_login(bert)
    pages = [LIST, reverse("admin:orders_order_change", args=[order.id])]

    assert [client.get(page).status_code for page in pages] == [403, 403]
    assert "orders now" not in client.get("/admin/").content.decode()

    bert.user_permissions.add(Permission.objects.get(codename="view_order"))
    bert.kitchens.create(kitchen_id=order.kitchen_id)
    assert [client.get(page).status_code for page in pages] == [200, 200]


def test_names_are_looked_for_among_the_latest_orders_only(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        factories.order(channel_order_id=f"N{number}")
    assert shown(manager, q="Ada") == ["N2", "N1", "N0"]

    monkeypatch.setattr("orders.admin.search.LATEST", 2)

    assert shown(manager, q="Ada") == ["N2", "N1"]
    assert shown(manager, q="N0") == ["N0"]
