"""What keys asked of an order, on its page: with request ids and refusals where the client sent an Idempotency-Key."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.admin.calls import calls_of
from integrations.tests import factories as keys
from orders.models import Order
from orders.tests import factories
from tests import planted

pytestmark = pytest.mark.django_db
type Caller = Callable[..., Any]
PLU = "A/1 #2"


def body(**more: Any) -> dict[str, Any]:
    return {
        "account": "acc-1",
        "brandId": "burgers",
        "channelOrderId": "W-1",
        "customer": {"name": planted.NAME, "phoneNumber": planted.PHONE},
        "pickupTime": "2030-05-01T18:30:00Z",
        "items": [{"plu": PLU, "name": "Soup", "quantity": 1}],
        **more,
    }


@pytest.fixture
def call() -> Caller:
    factories.kitchen()
    _key, plain = keys.api_key("wolt", ("orders:read", "orders:write", "orders:recall"))

    def call(method: str, path: str, sent: Any, *, once: str = "", request_id: str = "") -> Any:
        headers = {"authorization": f"Bearer {plain}", "x-request-id": request_id}
        if once:
            headers["idempotency-key"] = once
        return Client().generic(
            method,
            f"/api/orders{path}",
            orjson.dumps(sent),
            content_type="application/json",
            headers=headers,  # type: ignore[arg-type]
        )

    return call


def told(order_id: str) -> list[tuple[Any, ...]]:
    order = Order.objects.get(pk=order_id)
    log = list(order.history.order_by("sequence"))
    return [
        (found.change, found.plu, found.to_status, found.status, found.code, found.request_id)
        for found in calls_of(order, log)
    ]


def test_calls_with_an_idempotency_key_show_request_id_and_outcome(call: Caller) -> None:
    call("POST", "", body(id="d-1"), once="a", request_id="req-new")
    call("PATCH", f"/d-1/items/{quote(PLU, safe='')}", {"status": "READY"}, once="b", request_id="req-item")
    call("PATCH", "/d-1", {"status": "PICKED_UP"}, once="c", request_id="req-order")
    assert call("PATCH", "/d-1", {"status": "READY"}, once="d", request_id="req-late").status_code == 409
    # The same call again is the first one's answer, not another call.
    call("PATCH", "/d-1", {"status": "PICKED_UP"}, once="c", request_id="req-again")

    assert told("d-1") == [
        (1, None, 1, 201, "", "req-new"),
        (2, PLU, 3, 200, "", "req-item"),
        (3, None, 4, 200, "", "req-order"),
        (None, None, 0, 409, "impossible_move", "req-late"),
    ]


def test_calls_without_one_are_known_by_the_history_alone(call: Caller) -> None:
    call("POST", "", body(id="d-1"))
    call("PATCH", "/d-1", {"status": "PREPARING"})
    call("POST", "/d-1/recall", {})

    assert told("d-1") == [(1, None, 1, 0, "", ""), (2, None, 2, 0, "", ""), (3, None, 1, 0, "", "")]


def test_an_amendment_and_a_repeated_status_make_no_change_of_their_own(call: Caller) -> None:
    call("POST", "", body(id="d-1"))
    call("PATCH", "/d-1", {"note": "Ring"}, once="a", request_id="req-note")
    call("PATCH", "/d-1", {"status": "RECEIVED"}, once="b", request_id="req-same")

    assert [found[0::3] for found in told("d-1")] == [(1, 0), (None, 200), (None, 200)]


def test_other_orders_and_other_keys_calls_are_not_told(call: Caller) -> None:
    call("POST", "", body(id="d-1"), once="a", request_id="first")
    call("POST", "", body(id="d-2"), once="b", request_id="second")

    assert [found[-1] for found in told("d-1")] == ["first"]
    assert told(factories.order(id="own").id) == [(1, None, 1, 0, "", "")]


def test_the_order_s_page_tells_them_to_who_may_see_keys(call: Caller, client: Client) -> None:
    call("POST", "", body(id="d-1"), once="a", request_id="req-new")
    page = reverse("admin:orders_order_change", args=["d-1"])
    client.force_login(User.objects.create_superuser("anna"))

    with CaptureQueriesContext(connection) as found:
        shown = client.get(page).content.decode()
    for number in range(12):
        call("PATCH", f"/d-1/items/{quote(PLU, safe='')}", {"quantity": number + 2}, once=f"q{number}")
    with CaptureQueriesContext(connection) as more:
        client.get(page)

    assert "req-new" in shown and "API key wolt" in shown
    assert len(more) == len(found) <= 10
