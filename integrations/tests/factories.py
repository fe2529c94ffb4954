"""API keys and webhook endpoints for tests, created by their services."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory
from factory import LazyFunction
from factory.django import DjangoModelFactory

from integrations.events import EVENTS
from integrations.keys import issue_key
from integrations.models import ApiKey, WebhookEndpoint
from integrations.scopes import SCOPES
from integrations.webhooks import endpoints


class ApiKeyFactory(DjangoModelFactory[ApiKey]):
    """With all scopes, without a limit. `plain` of what it returns is the key in plain text."""

    class Meta:
        model = ApiKey

    name = "wolt"
    scopes = tuple(SCOPES)
    rate_limit = 0

    @classmethod
    def _create(cls, model_class: type[ApiKey], *args: Any, **fields: Any) -> ApiKey:
        key, key.plain = issue_key(**fields)  # type: ignore[attr-defined]
        return key


class EndpointFactory(DjangoModelFactory[WebhookEndpoint]):
    """For all events. `plain_secret` of what it returns is its secret in plain text."""

    class Meta:
        model = WebhookEndpoint

    name = "Shop"
    url = "https://example.com/hooks"
    events = LazyFunction(lambda: list(EVENTS))

    @classmethod
    def _create(cls, model_class: type[WebhookEndpoint], *args: Any, **fields: Any) -> WebhookEndpoint:
        endpoint = model_class(**fields)
        endpoint.plain_secret = endpoints.create(endpoint)  # type: ignore[attr-defined]
        return endpoint


def api_key(name: str = "wolt", scopes: Iterable[str] = tuple(SCOPES), **fields: Any) -> tuple[ApiKey, str]:
    key = ApiKeyFactory(name=name, scopes=scopes, **fields)
    return key, key.plain


def endpoint(url: str = "https://example.com/hooks", **fields: Any) -> WebhookEndpoint:
    return EndpointFactory(url=url, **fields)


def http_request(method: str, path: str, plain: str | None = None, **headers: Any) -> HttpRequest:
    authorization = {"Authorization": f"Bearer {plain}"} if plain else {}
    return RequestFactory().generic(method, path, headers=authorization | headers)
