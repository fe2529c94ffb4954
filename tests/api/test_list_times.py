"""Lists by pickup and update are read in two parts: together they are what one look at all orders finds, page by page."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.http import urlencode

from integrations.tests import factories as keys
from orders.api.kitchens import kitchens
from orders.models import Order
from orders.models.querysets import NEAR
from orders.tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(microsecond=0)
# On both sides of what counts as near, and at its edge.
APART = (timedelta(0), timedelta(minutes=40), NEAR, NEAR + timedelta(seconds=1), timedelta(days=9))


@pytest.fixture
def client_of_all() -> Client:
    kitchens.forget()
    factories.kitchen()
    dice = random.Random(4)
    with connection.cursor() as cursor:
        for number, (pickup, updated, sign) in enumerate(itertools.product(APART, APART, (1, -1))):
            created = NOW - timedelta(days=dice.choice((0.01, 1, 2, 5, 30)), seconds=dice.randrange(3))
            cursor.execute(
                """
                INSERT INTO orders_order (id, kitchen_id, status, version, sequence, changed_at, account, brand_id,
                    channel, channel_order_id, channel_display_id, customer_name, customer_phone, note, currency,
                    pickup_time, due_at, created_at, updated_at)
                VALUES (%s, 'main', 4, 1, 1, %s, 'acc', 'burgers', '', 'C', '', 'Ada', '', '', 'EUR', %s, %s, %s, %s)
                """,
                [f"o{number:02}", created, created + sign * pickup, created, created, created + updated],
            )
    _, plain = keys.api_key()
    return Client(headers={"authorization": f"Bearer {plain}"})


def listed(client: Client, query: dict[str, str]) -> list[str]:
    ids: list[str] = []
    url: str | None = f"/api/orders?{urlencode({**query, 'limit': 7})}"
    pages: list[Any] = []
    while url:
        pages.append(client.get(url).json())
        ids += [order["id"] for order in pages[-1]["results"]]
        url = pages[-1]["next"]
    back: list[str] = []
    url = pages[-1]["previous"]
    while url:
        page = client.get(url).json()
        back = [order["id"] for order in page["results"]] + back
        url = page["previous"]
    assert back == ids[: len(back)]
    assert len(back) == len(ids) - len(pages[-1]["results"])
    return ids


@pytest.mark.parametrize("seed", range(4))
def test_all_orders_with_these_times_are_listed_newest_first(client_of_all: Client, seed: int) -> None:
    dice = random.Random(seed)
    rows = list(Order.objects.newest_first())
    for _ in range(15):
        days = (-9, -2, -0.1, 0.02, 0.03, 0.5, 1, 2, 3, 4, 7, 29, 31, 40)
        updated, since, until = (
            dice.choice((None, NOW - timedelta(days=dice.choice(days)))) for _ in range(3)
        )
        filters = {"updatedAfter": updated, "pickupFrom": since, "pickupTo": until}
        query = {name: at.isoformat() for name, at in filters.items() if at is not None}
        assert listed(client_of_all, query) == [
            order.id
            for order in rows
            if (updated is None or order.updated_at > updated)
            and (since is None or order.pickup_time >= since)
            and (until is None or order.pickup_time < until)
        ], query
