from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders import services
from orders.amendments import ItemAmendment, amend_order
from orders.models import Order
from orders.new import NewItem
from orders.recall import recall
from orders.statuses import PICKED_UP, PREPARING, READY, RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db


def page_of(client: Client, order: Order) -> Any:
    page = client.get(reverse("admin:orders_order_change", args=[order.id]))
    assert page.status_code == 200
    return page


def steps(client: Client, order: Order) -> list[Any]:
    return list(page_of(client, order).context["steps"])


def test_the_page_tells_all_facts(manager: Client) -> None:
    factories.brand()
    order = factories.order(
        channel="wolt",
        channel_display_id="#417",
        customer_phone="+358401234567",
        delivery_address={"city": "Helsinki", "street": "Huuvatie 1", "postalCode": "00100"},
        note="Ring the bell",
        of=factories.kitchen("main", name="Harju"),
    )

    page = page_of(manager, order).content.decode()

    for text in (
        "#417",
        "TEST-1",
        order.id,
        "Burger House",
        "wolt",
        "Harju",
        "Ada",
        "+358401234567",
        "acc-1",
    ):
        assert text in page, text
    for text in ("Huuvatie 1, 00100 Helsinki", "Ring the bell", "Europe/Helsinki", "UTC+0"):
        assert text in page, text


def test_items_are_shown_with_modifiers_allergens_notes_and_price(manager: Client) -> None:
    details = {
        "name": "Hawaii Burger",
        "quantity": 2,
        "note": "no onions",
        "allergens": ["peanut", "milk"],
        "modifiers": [{"name": "Sauce", "quantity": 2, "modifiers": [{"name": "Chili", "quantity": 0}]}],
        "price": 1290,
    }
    order = factories.order(
        items=[NewItem("CAT/1 #ü", details), NewItem("A", {"name": "Cola", "quantity": 1})]
    )

    response = page_of(manager, order)

    lines = response.context["lines"]
    assert [line.item.plu for line in lines] == ["CAT/1 #ü", "A"]
    assert [(part.depth, part.text, part.without) for part in lines[0].modifiers] == [
        (0, "2 × Sauce", False),
        (1, "NO Chili", True),
    ]
    assert (lines[0].price, lines[1].price) == ("12.90 EUR", "")
    page = response.content.decode()
    assert '<li data-depth="1" class="huuva-without">NO Chili</li>' in page
    assert all(text in page for text in ("peanut, milk", "no onions", "2 ×", "CAT/1 #ü"))


def test_the_timeline_has_one_step_for_each_change_with_who_when_and_why(manager: Client) -> None:
    order = factories.order(None, None)
    services.move_item(order.id, "P0", PREPARING, actor="screen:grill-1")
    services.move_order(order.id, READY, actor="user:anna", reason="The courier waits")

    came, item, moved = steps(manager, order)

    assert [step.change for step in (came, item, moved)] == [1, 2, 3]
    assert (came.title, came.actor) == ("Order came in", "API key test")
    assert (item.title, item.actor) == ("Item moved on", "Screen grill-1")
    assert (moved.title, moved.actor, moved.reason) == ("Order moved on", "anna", "The courier waits")
    assert [(move.subjects, move.before) for move in item.moves] == [
        (["1 × Dish 0"], "Ordered"),
        ([], "Received"),
    ]
    assert [(move.subjects, move.before) for move in moved.moves] == [
        ([], "Preparing"),
        (["1 × Dish 0"], "Preparing"),
        (["1 × Dish 1"], "Ordered"),
    ]
    assert "Ready" in moved.moves[0].after
    assert "EE" in came.at


def test_a_recall_and_what_it_took_back_point_at_each_other(manager: Client) -> None:
    order = factories.order()
    services.move_order(order.id, READY, actor="key:test")
    recall(order.id, actor="user:anna", reason="Wrong ticket")

    _came, moved, back = steps(manager, order)

    assert moved.taken_back_by == 3
    assert back.is_recall and back.title == "Change 2 taken back"
    assert (back.moves[0].before, back.reason) == ("Ready", "Wrong ticket")
    assert "taken back by change 3" in page_of(manager, order).content.decode()


def test_imported_entries_are_marked_as_the_channels_words(manager: Client) -> None:
    past = datetime(2021, 7, 22, 20, 8, 2, tzinfo=UTC)
    order = factories.order(history=[(PICKED_UP, past), (RECEIVED, past + timedelta(minutes=2))])

    (came,) = steps(manager, order)

    assert [entry.at for entry in came.imported] == ["22 Jul 2021 23:08:02 EEST", "22 Jul 2021 23:10:02 EEST"]
    assert "Picked up" in came.imported[0].status
    assert all(move.subjects for move in came.moves)
    assert "2021" not in came.at
    assert "as the channel tells" in page_of(manager, order).content.decode()


def test_times_are_those_of_the_kitchen_and_name_its_zone(manager: Client) -> None:
    tokyo = factories.kitchen("tokyo", time_zone="Asia/Tokyo")
    order = factories.order(of=tokyo, created_at=datetime(2025, 7, 1, 20, 0, tzinfo=UTC))

    page = page_of(manager, order).content.decode()

    assert "2 Jul 2025 05:00 JST" in page
    assert "Asia/Tokyo (JST, UTC+09:00)" in page


@pytest.mark.parametrize(("minutes", "words"), [(12, "8 min before due"), (23, "3 min late")])
def test_the_page_says_how_punctual_the_order_was_ready(
    manager: Client, monkeypatch: pytest.MonkeyPatch, minutes: int, words: str
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr("orders.clock.now", lambda: now)
    order = factories.order(pickup_time=now + timedelta(minutes=20))
    assert words not in page_of(manager, order).content.decode()

    now += timedelta(minutes=minutes)
    services.move_order(order.id, READY, actor="key:test")
    services.move_order(order.id, PICKED_UP, actor="key:test")

    assert words in page_of(manager, order).content.decode()


def test_the_page_takes_as_few_statements_for_many_items_and_changes(manager: Client) -> None:
    def statements(order: Order) -> int:
        with CaptureQueriesContext(connection) as found:
            page_of(manager, order)
        return len(found)

    small = factories.order(None)
    large = factories.order(*[None] * 50)
    for number in range(20):
        services.move_item(large.id, f"P{number}", PREPARING, actor="key:test")
        amend_order(large.id, note=f"note {number}", actor="key:test")

    statements(small)
    # Three of them are what other apps show of it.
    assert statements(large) == statements(small) <= 10


def test_amendments_stand_between_the_changes_with_what_was_before(manager: Client) -> None:
    order = factories.order(None, None, note="Ring twice")
    services.move_item(order.id, "P0", PREPARING, actor="screen:Grill")
    later = order.pickup_time + timedelta(minutes=20)
    amend_order(order.id, note="", pickup_time=later, actor="key:wolt", reason="the customer called")
    amend_order(order.id, items={"P1": ItemAmendment(quantity=3)}, actor="user:anna")
    services.move_order(order.id, READY, actor="screen:Grill")

    found = steps(manager, order)

    assert [(step.change, step.title) for step in found] == [
        (1, "Order came in"),
        (2, "Item moved on"),
        (3, "Order amended"),
        (4, "Item amended"),
        (5, "Order moved on"),
    ]
    note = found[2].amended[0]
    assert (note.subject, note.what, note.before, note.after) == ("", "Note", "Ring twice", "")
    assert [value.what for value in found[2].amended] == ["Note", "Pickup time", "Due"]
    (quantity,) = found[3].amended
    assert (quantity.subject, quantity.before, quantity.after) == ("Dish 1", "1", "3")
    assert found[2].reason == "the customer called"
    page = page_of(manager, order).content.decode()
    assert "<s>Ring twice</s>" in page


def test_an_id_of_odd_letters_has_a_page_and_an_unknown_one_leads_back(manager: Client) -> None:
    order = factories.order(id='ä _5F"?#%&+ü')
    row = manager.get("/admin/orders/order/").context["cl"]

    assert manager.get(row.url_for_result(order)).context["order"] == order
    unknown = manager.get(reverse("admin:orders_order_change", args=["nobody"]))
    assert (unknown.status_code, unknown["Location"]) == (302, "/admin/")
