"""What managers do to orders in the admin: through the services, each in their own kitchens, never past the rules."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order, StatusChange
from orders.services import move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_order_changelist")


def staff(*permissions: str, kitchens: tuple[str, ...] = ("main",)) -> Client:
    user = User.objects.create_user("anna", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=("view_order", *permissions)))
    for slug in kitchens:
        user.kitchens.create(kitchen=factories.kitchen(slug))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def anna() -> Client:
    return staff("move_order", "export_order", "view_customer")


def act(client: Client, order: Order, do: str, *, version: int | None = None, reason: str = "") -> Any:
    form = {"do": do, "version": version or Order.objects.get(pk=order.pk).version, "reason": reason}
    return client.post(reverse("admin:orders_order_act", args=[order.pk]), form, follow=True)


def said(page: Any) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def on_many(client: Client, action: str, *orders: Order, **more: str) -> Any:
    form = {"action": action, "_selected_action": [order.pk for order in orders], **more}
    return client.post(LIST, form, follow=True)


def test_a_manager_advances_an_order(anna: Client) -> None:
    order = factories.order(channel_display_id="#7")

    page = act(anna, order, "3")

    assert Order.objects.get().status == READY
    assert said(page) == ["#7 is Ready now."]
    assert {row.actor for row in StatusChange.objects.filter(change=2)} == {"user:anna"}


def test_a_cancellation_needs_a_reason(anna: Client) -> None:
    order = factories.order()

    page = act(anna, order, "cancel")
    assert Order.objects.get().status == RECEIVED
    assert said(page) == ["Say why the order is cancelled: its channel is told."]

    act(anna, order, "cancel", reason="No rice left")
    last = StatusChange.objects.filter(plu=None).latest("sequence")
    assert (last.to_status, last.reason, last.actor) == (CANCELLED, "No rice left", "user:anna")


def test_a_manager_takes_a_change_back(anna: Client) -> None:
    order = factories.order()
    move_order(order.id, READY, actor="screen:grill")

    act(anna, order, "recall", reason="Not ready at all")

    assert Order.objects.get().status == RECEIVED
    assert StatusChange.objects.latest("sequence").reason == "Not ready at all"


@pytest.mark.parametrize(
    ("do", "reason", "words"),
    [
        ("2", "", "The order has moved on since and can't go there any more."),
        ("recall", "", "A cancellation stays: its channel has been told."),
        ("9", "", "This can't be done to an order."),
        ("cancel", "x" * 501, "A reason has at most 500 characters."),
    ],
)
def test_what_the_rules_forbid_is_said_and_changes_nothing(
    anna: Client, do: str, reason: str, words: str
) -> None:
    order = factories.order()
    move_order(order.id, CANCELLED, actor="key:wolt", reason="customer")
    before = StatusChange.objects.count()

    assert words in said(act(anna, order, do, reason=reason))
    assert StatusChange.objects.count() == before


def test_a_page_that_is_out_of_date_changes_nothing(anna: Client) -> None:
    order = factories.order()
    move_order(order.id, PREPARING, actor="screen:grill")

    page = act(anna, order, "3", version=1)

    assert Order.objects.get().status == PREPARING
    assert said(page)[0].startswith("Somebody was faster")


def test_only_who_may_move_orders_sees_and_reaches_the_actions() -> None:
    order = factories.order()
    client = staff()
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()

    assert "huuva-actions" not in page
    assert act(client, order, "3").status_code == 403
    assert on_many(client, "mark_ready", order).status_code in (200, 403)
    assert Order.objects.get().status == RECEIVED


def test_an_action_is_a_post_with_a_token(anna: Client) -> None:
    order = factories.order()
    url = reverse("admin:orders_order_act", args=[order.pk])
    assert anna.get(url).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="anna"))
    assert strict.post(url, {"do": "3", "version": 1}).status_code == 403
    assert Order.objects.get().status == RECEIVED


def test_several_orders_are_advanced_and_those_that_can_t_are_named(anna: Client) -> None:
    ready, gone = factories.order(), factories.order(channel_display_id="#9")
    move_order(gone.id, PICKED_UP, actor="screen:expo")

    page = on_many(anna, "mark_ready", ready, gone)

    assert said(page) == ["1 order is Ready.", "Not possible from where they are: #9."]
    assert Order.objects.get(pk=ready.pk).status == READY


def test_several_orders_are_cancelled_after_asking_why(anna: Client) -> None:
    orders = [factories.order(), factories.order()]

    page = on_many(anna, "cancel_orders", *orders)
    assert "These 2 orders will be cancelled" in page.content.decode()
    assert set(Order.objects.values_list("status", flat=True)) == {RECEIVED}
    page = on_many(anna, "cancel_orders", *orders, confirmed="yes", reason=" ")
    assert said(page) == ["Say why the orders are cancelled: their channels are told."]

    on_many(anna, "cancel_orders", *orders, confirmed="yes", reason="Power cut")
    assert set(Order.objects.values_list("status", flat=True)) == {CANCELLED}
    assert set(StatusChange.objects.filter(change=2).values_list("reason", flat=True)) == {"Power cut"}


def test_orders_of_other_kitchens_are_not_there(anna: Client) -> None:
    mine = factories.order(channel_display_id="#mine")
    theirs = factories.order(of=factories.kitchen("other"), channel_display_id="#theirs")

    page = anna.get(LIST).content.decode()
    assert "#mine" in page and "#theirs" not in page
    assert anna.get(LIST, {"q": theirs.id}).context["cl"].result_list == []
    assert anna.get(reverse("admin:orders_order_change", args=[theirs.pk])).status_code == 302
    act(anna, theirs, "3")
    on_many(anna, "mark_ready", mine, theirs)
    assert Order.objects.get(pk=theirs.pk).status == RECEIVED
    assert Order.objects.get(pk=mine.pk).status == READY
    assert theirs.id not in b"".join(anna.get(f"{LIST}export/").streaming_content).decode()  # type: ignore[attr-defined]


def test_customers_are_shown_to_those_who_may_see_them() -> None:
    order = factories.order(
        customer_name="Ada Lovelace", customer_phone="+358401234567", note="Ring at Ada's"
    )
    client = staff("export_order")

    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    lines = b"".join(client.get(f"{LIST}export/").streaming_content).decode()  # type: ignore[attr-defined]

    for secret in ("Lovelace", "+358401234567", "Ring at"):
        assert secret not in page and secret not in lines
    assert client.get(LIST, {"q": "Lovelace"}).context["cl"].result_list == []
    assert client.get(LIST, {"q": "0401234567"}).context["cl"].result_list == []


def test_the_list_is_exported_as_it_is_filtered(anna: Client) -> None:
    factories.order(channel_display_id="#1", note='=HYPERLINK("http://x")', customer_phone="+358 40 1234567")
    move_order(factories.order().id, PICKED_UP, actor="screen:expo")

    assert f"{LIST}export/?status=open" in anna.get(LIST, {"status": "open"}).content.decode()
    answer = anna.get(f"{LIST}export/", {"status": "open"})

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["channelDisplayId"], row["status"]) == ("#1", "RECEIVED")
    # What a spreadsheet would run is text; a phone number stays a phone number.
    assert row["note"] == '\'=HYPERLINK("http://x")'
    assert row["customerPhone"] == "+358 40 1234567"


def test_chosen_orders_are_exported(anna: Client) -> None:
    chosen, other = factories.order(), factories.order()

    answer = on_many(anna, "export_orders", chosen)

    text = b"".join(answer.streaming_content).decode()
    assert chosen.id in text and other.id not in text


def test_an_order_is_found_by_the_plu_of_an_item(anna: Client) -> None:
    order = factories.order()

    assert [found.pk for found in anna.get(LIST, {"q": "P0"}).context["cl"].result_list] == [order.pk]
    assert anna.get(LIST, {"q": "P9"}).context["cl"].result_list == []


def test_late_orders_come_most_urgent_first(anna: Client) -> None:
    kitchen = factories.kitchen("main")
    later, sooner = factories.order(), factories.order()
    for order, minutes in ((later, 5), (sooner, 9)):
        Order.objects.filter(pk=order.pk).update(due_at=order.created_at - kitchen.target * minutes)

    found = anna.get(LIST, {"late": "yes"}).context["cl"].result_list

    assert [order.pk for order in found] == [sooner.pk, later.pk]


def customer_url(order: Order) -> str:
    return reverse("admin:orders_order_customer", args=[order.pk])


def test_a_customer_s_data_is_exported_and_erased_from_an_order_s_page() -> None:
    officer = staff("view_customer", "erase_customer", kitchens=("main", "other"))
    order = factories.order(customer_name="Ada Lovelace")
    other = factories.order(of=factories.kitchen("other"), customer_name="A. Lovelace")
    for each in (order, other):
        move_order(each.id, PICKED_UP, actor="screen:expo")
    assert (
        customer_url(order)
        in officer.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    )

    exported = b"".join(officer.get(f"{customer_url(order)}?export=1").streaming_content).decode()  # type: ignore[attr-defined]
    assert exported.count("Lovelace") == 2 == len(exported.splitlines())
    asked = officer.get(customer_url(order)).content.decode()
    assert "acc-1" in asked and "2 orders" in asked
    page = officer.post(customer_url(order), {"account": "another"}, follow=True)
    assert said(page) == ["Nothing was erased: write the account exactly as it stands above."]
    assert Order.objects.filter(customer_name__contains="Lovelace").count() == 2

    page = officer.post(customer_url(order), {"account": "acc-1"}, follow=True)

    assert said(page)[0].startswith("2 orders have lost")
    assert Order.objects.filter(customer_name__contains="Lovelace").count() == 0


def test_erasing_waits_for_open_orders() -> None:
    officer = staff("erase_customer")
    order = factories.order()

    page = officer.post(customer_url(order), {"account": "acc-1"}, follow=True)

    assert "still open" in said(page)[0]
    assert Order.objects.get().account == "acc-1"


def test_only_who_may_erase_gets_a_customer_s_data(anna: Client) -> None:
    order = factories.order()
    assert anna.get(customer_url(order)).status_code == 403
    assert anna.post(customer_url(order), {"account": "acc-1"}).status_code == 403
    assert Order.objects.get().account == "acc-1"


def test_an_export_asks_for_each_portion_and_not_for_each_order(
    anna: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.admin.export.CHUNK", 3)

    def exported() -> tuple[int, list[str]]:
        with CaptureQueriesContext(connection) as asked:
            lines = b"".join(anna.get(f"{LIST}export/").streaming_content).decode()  # type: ignore[attr-defined]
        return len(asked), [row["note"] for row in csv.DictReader(io.StringIO(lines))]

    for number in range(3):
        factories.order(id=f"order-{number}", note=f"note {number}")
    few, _notes = exported()
    for number in range(3, 9):
        factories.order(id=f"order-{number}", note=f"note {number}")
    many, notes = exported()

    assert notes == [f"note {number}" for number in reversed(range(9))]
    assert many == few + 2


def test_more_than_anybody_moves_at_once_is_refused(anna: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.admin.order_actions.MOST_AT_ONCE", 2)
    orders = [factories.order(id=f"order-{number}") for number in range(3)]

    page = on_many(anna, "mark_ready", orders[0], select_across="1")
    assert said(page) == ["Nothing was changed: at most 2 orders can be moved at once."]
    page = on_many(anna, "cancel_orders", *orders, reason="closed", confirmed="yes")
    assert said(page) == ["Nothing was changed: at most 2 orders can be moved at once."]
    assert set(Order.objects.values_list("status", flat=True)) == {RECEIVED}


def test_a_nul_in_a_reason_is_no_error(anna: Client) -> None:
    on_many(anna, "cancel_orders", factories.order(), reason="no\0 rice", confirmed="yes")

    assert StatusChange.objects.filter(plu=None).latest("sequence").reason == "no rice"
