from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from core.problems import Problem
from integrations import authentication, key_cache
from integrations.authentication import ApiKeyAuthentication
from integrations.key_cache import CACHE_SECONDS, CACHE_SIZE, KeyCache
from integrations.models import ApiKey
from integrations.permissions import HasScope
from integrations.tests import factories
from orders.tests.factories import kitchen

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(authentication, "key_cache", KeyCache(clock))
    return clock


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    key_cache.key_cache.clear()
    yield
    key_cache.key_cache.clear()


def authenticate(plain: str | None) -> Any:
    return ApiKeyAuthentication().authenticate(Request(factories.http_request("GET", "/", plain)))


def refusal_of(plain: str) -> Problem:
    with pytest.raises(Problem) as refusal:
        authenticate(plain)
    return refusal.value


def test_a_key_says_who_calls_and_what_they_may_do() -> None:
    key, plain = factories.api_key("wolt", ["orders:read"], kitchen=kitchen("main"), rate_limit=7)

    principal, grant = authenticate(plain)

    assert principal.is_authenticated
    assert principal.actor == "key:wolt"
    assert (grant.id, grant.name, grant.kitchen, grant.rate_limit) == (key.pk, "wolt", "main", 7)
    assert grant.scopes == frozenset({"orders:read"})


@pytest.mark.parametrize("header", ["Bearer  {}", "bearer {}", "BEARER {} "])
def test_the_scheme_is_read_as_http_wants(header: str) -> None:
    _, plain = factories.api_key()
    request = factories.http_request("GET", "/", Authorization=header.format(plain))

    assert ApiKeyAuthentication().authenticate(Request(request)) is not None


def test_without_a_key_nobody_is_known() -> None:
    assert authenticate(None) is None
    assert ApiKeyAuthentication().authenticate_header(mock.Mock()) == 'Bearer realm="huuva"'


@pytest.mark.parametrize(
    "text", ["x", "huuva_abc_short", "huuva_ab\x00c_" + "x" * 32, "huuva_unknown_" + "x" * 32]
)
def test_a_wrong_key_is_told_so(text: str) -> None:
    problem = refusal_of(text)

    assert (problem.status_code, problem.code) == (401, "invalid_key")
    assert problem.headers["WWW-Authenticate"] == 'Bearer realm="huuva", error="invalid_token"'


def test_the_right_prefix_with_a_wrong_secret_is_refused_without_detail() -> None:
    key, plain = factories.api_key(expires_at=timezone.now() - timedelta(days=1))
    other = plain[:-1] + ("a" if plain[-1] != "a" else "b")

    assert refusal_of(other).text == refusal_of("huuva_unknown_" + "x" * 32).text
    assert "expired" in refusal_of(plain).text
    assert key.prefix in plain


def test_a_key_that_expires_while_it_is_cached_is_refused_at_once(clock: Clock) -> None:
    expires_at = timezone.now() + timedelta(hours=1)
    _, plain = factories.api_key(expires_at=expires_at)
    assert authenticate(plain)

    with mock.patch.object(authentication.time, "time", return_value=expires_at.timestamp()):
        assert refusal_of(plain).code == "invalid_key"


def test_a_known_key_needs_no_query(clock: Clock) -> None:
    _, plain = factories.api_key()
    authenticate(plain)

    clock.now += CACHE_SECONDS - 0.01
    with CaptureQueriesContext(
        connection,
    ) as queries:
        authenticate(plain)

    assert len(queries) == 0


def test_an_unknown_key_is_looked_up_once(clock: Clock) -> None:
    plain = "huuva_unknown_" + "x" * 32
    refusal_of(plain)

    with CaptureQueriesContext(connection) as queries:
        refusal_of(plain)

    assert len(queries) == 0


def test_revoked_key_dies_within_the_cache_time(clock: Clock) -> None:
    # As another process sees it: nobody tells this one's cache.
    key, plain = factories.api_key()
    authenticate(plain)
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())

    clock.now += CACHE_SECONDS

    assert "revoked" in refusal_of(plain).text
    assert CACHE_SECONDS < 5


def test_a_new_scope_is_there_within_the_cache_time(clock: Clock) -> None:
    key, plain = factories.api_key(scopes=["orders:read"])
    authenticate(plain)
    ApiKey.objects.filter(pk=key.pk).update(scopes=["orders:read", "orders:write"])

    clock.now += CACHE_SECONDS

    assert "orders:write" in authenticate(plain)[1].scopes


def test_guesses_neither_fill_the_memory_nor_push_out_keys(clock: Clock) -> None:
    _, plain = factories.api_key()
    authenticate(plain)
    with mock.patch.object(key_cache, "_load", return_value=None):
        for number in range(CACHE_SIZE + 10):
            authentication.key_cache.get(f"guess{number}")

    with CaptureQueriesContext(connection) as queries:
        authenticate(plain)

    assert len(queries) == 0
    assert len(authentication.key_cache._unknown) == CACHE_SIZE


def test_a_database_that_is_away_is_no_wrong_key(clock: Clock) -> None:
    _, plain = factories.api_key()

    with (
        mock.patch.object(key_cache, "_load", side_effect=OperationalError("gone")),
        pytest.raises(OperationalError),
    ):
        authenticate(plain)

    assert authenticate(plain) is not None


def test_last_use_is_written_once_a_minute(clock: Clock) -> None:
    key, plain = factories.api_key()

    authenticate(plain)
    first = ApiKey.objects.get(pk=key.pk).last_used_at
    clock.now += CACHE_SECONDS
    authenticate(plain)
    second = ApiKey.objects.get(pk=key.pk).last_used_at
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now() - timedelta(seconds=61))
    clock.now += CACHE_SECONDS
    authenticate(plain)
    third = ApiKey.objects.get(pk=key.pk).last_used_at

    assert first is not None
    assert second == first
    assert third is not None
    assert third > first


def test_a_wrong_secret_is_no_use_of_the_key() -> None:
    key, plain = factories.api_key()

    refusal_of(plain[:-2] + "zz")

    assert ApiKey.objects.get(pk=key.pk).last_used_at is None


def test_a_last_use_that_cant_be_written_does_not_fail_the_request() -> None:
    _, plain = factories.api_key()

    with mock.patch.object(key_cache.transaction, "atomic", side_effect=OperationalError("read-only")):
        assert authenticate(plain) is not None


# --- scopes ----------------------------------------------------------------------------------------------------------


def ask_permission(plain: str | None, view: Any, method: str = "GET") -> bool:
    request = Request(factories.http_request(method, "/", plain), authenticators=[ApiKeyAuthentication()])
    return HasScope().has_permission(request, view)


def view(action: str | None, **scopes: str) -> Any:
    return SimpleNamespace(action=action, required_scopes=scopes)


def test_a_key_may_do_what_its_scope_says() -> None:
    _, plain = factories.api_key(scopes=["orders:read"])

    assert ask_permission(plain, view("list", list="orders:read"))


def test_a_key_without_the_scope_is_told_which_one_it_needs() -> None:
    _, plain = factories.api_key(scopes=["orders:read"])

    with pytest.raises(Problem) as refusal:
        ask_permission(plain, view("create", create="orders:write"), "POST")

    problem = refusal.value
    assert (problem.status_code, problem.code) == (403, "missing_scope")
    assert "orders:write" in problem.text
    assert 'scope="orders:write"' in problem.headers["WWW-Authenticate"]


def test_a_call_without_a_key_is_told_to_send_one() -> None:
    with pytest.raises(Problem) as refusal:
        ask_permission(None, view("list", list="orders:read"))

    problem = refusal.value
    assert (problem.status_code, problem.code) == (401, "missing_key")
    assert problem.headers["WWW-Authenticate"] == 'Bearer realm="huuva"'


def test_an_action_for_which_no_scope_is_declared_is_refused() -> None:
    _, plain = factories.api_key()

    with pytest.raises(Problem) as refusal:
        ask_permission(plain, view("export", list="orders:read"))

    assert refusal.value.status_code == 403


def test_a_plain_view_names_scopes_by_method() -> None:
    class Plain(APIView):
        required_scopes = {"get": "analytics:read"}

        def get(self, request: Request) -> None: ...

    _, plain = factories.api_key(scopes=["analytics:read"])

    assert ask_permission(plain, Plain(), "GET")


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE"])
def test_a_method_that_the_view_lacks_passes_on_to_its_405(method: str) -> None:
    class Plain(APIView):
        def get(self, request: Request) -> None: ...

    _, plain = factories.api_key()

    assert ask_permission(plain, Plain(), method)
    assert ask_permission(plain, view(None), method)
