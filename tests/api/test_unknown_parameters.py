"""A mistyped filter must not answer with everything."""

import pytest
from django.test import Client

from integrations.tests import factories as keys

pytestmark = pytest.mark.django_db
REPORTS = ("order-status-durations", "item-status-durations", "hourly-throughput", "customer-order-counts")


@pytest.fixture
def caller() -> Client:
    _, plain = keys.api_key()
    return Client(headers={"authorization": f"Bearer {plain}"})


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("orders", "account, brandId, channelOrderId, cursor, from"),
        ("orders/events", "after, limit"),
        *((f"analytics/{name}", "brandId, from") for name in REPORTS),
    ],
)
def test_a_list_names_its_unknown_parameter_and_those_it_knows(caller: Client, path: str, known: str) -> None:
    answer = caller.get(f"/api/{path}?stauts=READY&Limit=1&limit=1")

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_parameter"
    errors = {error["pointer"]: error for error in answer.json()["errors"]}
    assert {"?stauts", "?Limit"} <= errors.keys() and "?from" not in errors
    assert known in errors["?stauts"]["detail"]
    assert errors["?stauts"]["code"] == "unknown"


def test_unknown_and_invalid_parameters_are_named_together(caller: Client) -> None:
    answer = caller.get("/api/orders?late=perhaps&kitchn=main&limit=0")

    assert {error["pointer"] for error in answer.json()["errors"]} == {"?late", "?kitchn", "?limit"}


def test_an_amount_of_nonsense_is_refused_in_few_words(caller: Client) -> None:
    query = "&".join(f"x{number}=" for number in range(900))
    answer = caller.get(f"/api/orders?{query}")

    assert answer.status_code == 400
    assert len(answer.content) < 20_000
