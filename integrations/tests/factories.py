"""Test data of this app, made through its own services."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory

from integrations.keys import issue_key
from integrations.models import ApiKey
from integrations.scopes import SCOPES
from orders.models import Kitchen


def kitchen(slug: str = "main") -> Kitchen:
    return Kitchen.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0]


def api_key(
    name: str = "wolt",
    scopes: Iterable[str] = tuple(SCOPES),
    *,
    kitchen: Kitchen | None = None,
    rate_limit: int | None = 0,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    return issue_key(name, scopes, kitchen, rate_limit, expires_at)


def http_request(method: str, path: str, plain: str | None = None, **headers: Any) -> HttpRequest:
    given = {"Authorization": f"Bearer {plain}"} if plain else {}
    return RequestFactory().generic(method, path, headers=given | headers)
