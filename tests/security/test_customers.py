"""Customers' names, phone numbers and addresses are for keys with `customers:read`, wherever orders are shown or sent."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import orjson
import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from integrations.deliveries.kinds import PendingDelivery
from integrations.events import EVENTS, LATE
from integrations.key_cache import key_cache
from integrations.models import ApiKey, Delivery
from integrations.scopes import CUSTOMERS, SCOPES
from integrations.tests import factories as keys
from integrations.webhooks.payloads import WebhookRenderer
from tests.security.addresses import Call, addresses, all_calls
from tests.security.calls import Answer, send
from tests.security.tenants import NAMED, OURS, Tenants, key_with, new_order

pytestmark = pytest.mark.django_db

# Each scope alone, each two, all, and all but one.
COMBINATIONS = [
    *[(scope,) for scope in SCOPES],
    *combinations(SCOPES, 2),
    *combinations(SCOPES, len(SCOPES) - 1),
    tuple(SCOPES),
]
# The answers that hold an order.
TELLING = {
    ("POST", "/api/orders"),
    ("GET", "/api/orders"),
    ("GET", "/api/orders/<id>"),
    ("PATCH", "/api/orders/<id>"),
    ("POST", "/api/orders/<id>/recall"),
    # What receivers answered.
    ("GET", "/api/webhooks/<id>/deliveries"),
    ("GET", "/api/webhooks/<id>/deliveries/<delivery>"),
}


def for_keys() -> list[Call]:
    """Every call of a view that asks for a scope."""
    scoped = {address for address, view in addresses() if getattr(view, "cls", None) and _scopes(view.cls)}
    return [each for each in all_calls() if each.path in scoped]


def _scopes(view: Any) -> dict[str, str]:
    return getattr(view, "required_scopes", {})


def named_in(body: bytes) -> list[str]:
    return [text for text in NAMED if text.encode() in body]


def answers_of(client: Client, tenants: Tenants) -> Iterator[tuple[Call, Answer]]:
    for each in for_keys():
        yield each, send(client, tenants, each)


@pytest.mark.parametrize("scopes", COMBINATIONS, ids="+".join)
def test_no_answer_names_a_customer_without_the_scope(tenants: Tenants, scopes: tuple[str, ...]) -> None:
    with transaction.atomic():
        answers = list(answers_of(key_with(scopes), tenants))
        csv = key_with(scopes)
        csv.defaults["HTTP_ACCEPT"] = "text/csv"
        answers += [(each, send(csv, tenants, each)) for each in for_keys() if "/analytics/" in each.path]
        transaction.set_rollback(True)
    naming = {(each.method, each.path) for each, answer in answers if named_in(answer.body)}
    if CUSTOMERS in scopes:
        succeeded = {(each.method, each.path) for each, answer in answers if answer.status < 300}
        assert naming == succeeded & TELLING, "who may see them gets them"
    else:
        assert not naming


def test_a_key_for_all_kitchens_is_no_exception(tenants: Tenants) -> None:
    with transaction.atomic():
        scopes = [scope for scope in SCOPES if scope != CUSTOMERS]
        assert not [
            each for each, answer in answers_of(key_with(scopes, None), tenants) if named_in(answer.body)
        ]
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"customer": {"name": NAMED[0], "phoneNumber": 7}},
        {"customer": {"name": [NAMED[0]], "phoneNumber": NAMED[1]}},
        {"deliveryAddress": {"street": NAMED[2], "city": 1}},
        {"pickupTime": NAMED[0]},
        {"kitchen": "nowhere"},
    ],
)
def test_what_is_refused_is_not_repeated(tenants: Tenants, wrong: dict[str, Any]) -> None:
    client = key_with(["orders:write"])
    answer = client.post("/api/orders", orjson.dumps(new_order() | wrong), content_type="application/json")
    assert answer.status_code in (400, 403)
    assert not named_in(answer.content)


def _sent(scopes: tuple[str, ...], tenants: Tenants) -> list[bytes]:
    """What a webhook of a key with these scopes is sent, of each event; it asks for customers' data."""
    keys.api_key("receiver", scopes, kitchen=tenants.ours)
    endpoint = keys.endpoint(
        "https://hooks.example.com/receiver",
        name="Receiver",
        kitchen=tenants.ours,
        owner="receiver",
        include_customer=True,
    )
    due = [
        PendingDelivery(
            number, endpoint.pk, tenants.order.pk, 1, int(event == LATE), event, timezone.now(), 1
        )
        for number, event in enumerate(EVENTS)
    ]
    messages = WebhookRenderer().render(due).values()
    return [message.body for message in messages if message]


@pytest.mark.parametrize("scopes", COMBINATIONS, ids="+".join)
def test_no_webhook_names_a_customer_without_the_scope(tenants: Tenants, scopes: tuple[str, ...]) -> None:
    with transaction.atomic():
        bodies = _sent(scopes, tenants)
        transaction.set_rollback(True)
    assert len(bodies) == len(EVENTS)
    for body in bodies:
        assert named_in(body) == (list(NAMED) if CUSTOMERS in scopes else [])


def test_a_replay_tells_no_more_than_the_key_may_see_now(tenants: Tenants) -> None:
    key, plain = keys.api_key(f"{OURS} key", SCOPES, kitchen=tenants.ours)
    client = Client(headers={"authorization": f"Bearer {plain}", "idempotency-key": "once"})
    body = orjson.dumps(new_order())
    first = client.post("/api/orders", body, content_type="application/json")
    assert named_in(first.content) == list(NAMED)

    ApiKey.objects.filter(pk=key.pk).update(scopes=["orders:write"])
    key_cache.forget(key.prefix)
    again = client.post("/api/orders", body, content_type="application/json")

    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert not named_in(again.content)
    whole = first.json()
    assert again.json() == {
        name: whole[name] for name in whole if name not in ("customer", "deliveryAddress")
    }


def test_a_replay_of_anything_else_stays_as_it_was(tenants: Tenants) -> None:
    """Whatever it holds: a list, an item, a problem."""
    client = key_with(["orders:write"])
    for path, sent in (
        (f"/api/orders/{tenants.order.pk}/items/P0", {"status": "READY"}),
        (f"/api/orders/{tenants.order.pk}/items/P0", {"status": 99}),
    ):
        headers = {"idempotency-key": f"{sent}"}
        first, again = (
            client.patch(path, orjson.dumps(sent), content_type="application/json", headers=headers)
            for _ in range(2)
        )
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again["Idempotent-Replayed"] == "true"


def test_a_key_that_lost_the_scope_gets_nothing_by_the_webhooks_it_made(tenants: Tenants) -> None:
    with transaction.atomic():
        keys.api_key("receiver", ["orders:read", "webhooks:manage"], kitchen=tenants.ours)
        assert not any(named_in(body) for body in _sent(("webhooks:manage",), tenants))
        assert Delivery.objects.filter(sink__webhookendpoint__owner="receiver").count() == 0
        transaction.set_rollback(True)
