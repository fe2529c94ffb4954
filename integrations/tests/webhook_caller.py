"""Calls of the webhook API, as a key makes them."""

from typing import Any

import orjson
from django.test import Client

from integrations.tests import factories as keys
from orders.tests import factories

BODY = {"name": "Screen", "url": "https://shop.example.com/hook", "events": ["order.created"]}
MANAGE = ("webhooks:manage", "customers:read")


class Caller:
    def __init__(self, plain: str) -> None:
        self.client, self.headers = Client(), {"Authorization": f"Bearer {plain}"}

    def __call__(self, method: str, path: str = "", body: Any = None, status: int = 200) -> Any:
        answer = self.client.generic(
            method,
            f"/api/webhooks{path}",
            data=b"" if body is None else orjson.dumps(body),
            content_type="application/json",
            headers=self.headers,
        )
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None


def caller(name: str = "shop", scopes: tuple[str, ...] = MANAGE, kitchen: str | None = None) -> Caller:
    of = factories.kitchen(kitchen) if kitchen else None
    return Caller(keys.api_key(name, scopes, kitchen=of)[1])
