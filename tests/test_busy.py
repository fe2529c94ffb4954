"""What people and programs are answered while somebody else has locked what they want to change."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.utils import translation

from integrations.tests import factories as keys
from orders.models import Kitchen, Order
from orders.services import move_order
from orders.statuses import PREPARING, READY
from orders.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/orders/order/"


@contextmanager
def held(statement: str, *parameters: object) -> Iterator[None]:
    """Another connection's open transaction, which has just done `statement`; ours don't wait long for it."""
    url = psycopg.conninfo.make_conninfo(settings.DATABASE_URL, dbname=str(connection.settings_dict["NAME"]))
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    try:
        with psycopg.connect(url) as other:
            other.execute(statement, parameters)  # type: ignore[arg-type]
            yield
            other.rollback()
    finally:
        connection.close()


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("anna"))
    return client


def messages(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


LOCK_ORDER = "SELECT FROM orders_order WHERE id = %s FOR UPDATE"


def test_a_locked_order_is_a_message_on_its_page(manager: Client) -> None:
    order = factories.order(id="held")

    with held(LOCK_ORDER, order.id):
        answer = manager.post(f"{LIST}held/act/", {"do": "2", "version": "1"})

    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}held/change/")
    [words] = messages(answer)
    assert words.startswith("Nothing was changed: somebody else is changing this order")
    assert Order.objects.get().version == 1


def test_a_bulk_move_ends_at_a_locked_order_and_says_what_it_did(manager: Client) -> None:
    for number in range(4):
        factories.order(id=f"order-{number}", channel_display_id=f"#{number}")
    move_order("order-3", READY, actor="key:test")
    shown = list(manager.get(LIST).context["cl"].result_list)
    first, second, third, _last = [order.id for order in shown]
    assert first == "order-3"

    with held(LOCK_ORDER, third):
        chosen = {"action": "mark_preparing", "_selected_action": [order.id for order in shown]}
        answer = manager.post(LIST, chosen)

    assert answer.status_code == 302
    moved, refused, left = messages(answer)
    assert moved == "1 order is Preparing."
    assert refused == "Not possible from where they are: #3."
    assert left.startswith("#1 and those after it, 2 orders, were not changed: somebody else")
    assert set(Order.objects.filter(status=PREPARING).values_list("pk", flat=True)) == {second}


def test_any_other_form_of_the_admin_comes_back_with_a_message(manager: Client) -> None:
    factories.kitchen("main")
    page = "http://testserver/admin/orders/kitchenpace/main/change/"
    manager.get("/admin/orders/kitchenpace/")
    form = {"mode": "paused", "busy_minutes": "15", "preparation_minutes": ""}

    with held("SELECT FROM orders_kitchenpace FOR UPDATE"):
        answers = [
            manager.post("/admin/orders/kitchenpace/main/change/", form, headers={"referer": referer})
            for referer in (page, "https://evil.example/admin/", "")
        ]

    assert [answer.status_code for answer in answers] == [302] * 3
    assert [answer["Location"] for answer in answers] == [page, "/admin/", "/admin/"]
    assert all(text.startswith("Nothing was changed: somebody else") for text in messages(answers[-1]))


def test_a_page_that_takes_too_long_says_so_in_words_for_people(manager: Client) -> None:
    # A request's language stays behind.
    with held("LOCK TABLE orders_kitchen"), translation.override("en"):
        answer = manager.get(
            "/admin/orders/kitchen/", headers={"accept": "text/html", "accept-language": "fi"}
        )

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert "Mitään ei muutettu" in answer.content.decode()


def test_a_channel_gets_a_retry_after(client: Client) -> None:
    factories.order(id="held")
    _key, plain = keys.api_key("wolt", ["orders:write"], kitchen=Kitchen.objects.get())
    body = {"status": PREPARING}

    with held(LOCK_ORDER, "held"):
        answer = client.patch(
            "/api/orders/held",
            body,
            content_type="application/json",
            headers={"authorization": f"Bearer {plain}", "idempotency-key": "once"},
        )

    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "2", "busy")
    again = client.patch(
        "/api/orders/held",
        body,
        content_type="application/json",
        headers={"authorization": f"Bearer {plain}", "idempotency-key": "once"},
    )
    assert (again.status_code, again.json()["status"]) == (200, "PREPARING")
