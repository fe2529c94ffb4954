import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.keys import parse_key, revoke_key
from integrations.models import ApiKey
from integrations.scopes import SCOPES
from integrations.tests import factories
from orders.tests.factories import kitchen

pytestmark = pytest.mark.django_db

LIST = "admin:integrations_apikey_changelist"
ADD = "admin:integrations_apikey_add"
CHANGE = "admin:integrations_apikey_change"


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("anna"))
    return client


def form(**values: Any) -> dict[str, Any]:
    return {"name": "Wolt", "scopes": ["orders:read"], "kitchen": "", "rate_limit": ""} | values


def plain_key_on(page: Any) -> str:
    found = re.search(r"huuva_[a-z0-9]+_[A-Za-z0-9]{20,}", page.content.decode())
    assert found is not None
    return found[0]


def test_a_new_key_is_shown_once_and_works(manager: Client) -> None:
    page = manager.post(reverse(ADD), form(scopes=["orders:read", "orders:write"], rate_limit="60"))

    key = ApiKey.objects.get()
    plain = plain_key_on(page)
    assert page.status_code == 200
    assert parse_key(plain) == (key.prefix, key.digest)
    assert "no-store" in page["Cache-Control"]
    assert (key.name, key.scopes, key.rate_limit) == ("Wolt", ["orders:read", "orders:write"], 60)
    for name in (LIST, CHANGE):
        later = manager.get(reverse(name, args=[key.pk] if name == CHANGE else [])).content.decode()
        assert plain not in later
        assert key.digest not in later
    assert all(plain not in str(value) for value in manager.session.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []},
        {"scopes": ["orders:eat"]},
        {"name": ""},
        {"rate_limit": "-1"},
        {"expires_at_0": "2001-01-01"},
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(manager: Client, wrong: dict[str, Any]) -> None:
    page = manager.post(reverse(ADD), form(**wrong, expires_at_1="00:00:00"))

    assert page.status_code == 200
    assert not ApiKey.objects.exists()


def test_the_form_shows_every_scope_with_what_it_allows(manager: Client) -> None:
    page = manager.get(reverse(ADD)).content.decode()

    assert "orders:recall: Take back the latest change" in page
    assert page.count('name="scopes"') == len(SCOPES)


def test_a_change_keeps_the_secret(manager: Client) -> None:
    key, plain = factories.api_key("Wolt", ["orders:read"])

    page = manager.post(reverse(CHANGE, args=[key.pk]), form(scopes=["orders:write"]))

    key.refresh_from_db()
    assert page.status_code == 302
    assert key.scopes == ["orders:write"]
    assert parse_key(plain) == (key.prefix, key.digest)


def test_a_form_that_is_saved_late_does_not_bring_back_a_revoked_key(rf: RequestFactory) -> None:
    key, _ = factories.api_key(rate_limit=0)
    revoke_key(ApiKey.objects.get(pk=key.pk))

    key.rate_limit = 60
    form = SimpleNamespace(changed_data=["rate_limit"])
    admin.site.get_model_admin(ApiKey).save_model(rf.post("/"), key, form, change=True)

    key.refresh_from_db()
    assert key.rate_limit == 60
    assert key.revoked_at is not None


def test_revoking_from_the_list_ends_the_key_and_is_logged(manager: Client) -> None:
    key, _ = factories.api_key()

    manager.post(reverse(LIST), {"action": "revoke", "_selected_action": [key.pk]})

    key.refresh_from_db()
    assert key.revoked_at is not None
    history = manager.get(reverse("admin:integrations_apikey_history", args=[key.pk])).content.decode()
    assert "anna" in history


def test_a_revoked_key_cant_be_changed_and_no_key_can_be_deleted(manager: Client) -> None:
    key, _ = factories.api_key("Wolt", ["orders:read"])
    revoke_key(key)

    assert manager.get(reverse(CHANGE, args=[key.pk])).status_code == 200
    assert manager.post(reverse(CHANGE, args=[key.pk]), form(scopes=["orders:write"])).status_code == 403
    assert manager.post(reverse("admin:integrations_apikey_delete", args=[key.pk])).status_code == 403
    manager.post(reverse(LIST), {"action": "delete_selected", "_selected_action": [key.pk], "post": "yes"})
    assert ApiKey.objects.get().scopes == ["orders:read"]


@pytest.mark.parametrize(("state", "name"), [("active", "living"), ("expired", "past"), ("revoked", "ended")])
def test_the_list_filters_by_state(manager: Client, state: str, name: str) -> None:
    factories.api_key("living")
    factories.api_key("past", expires_at=ApiKey.objects.get().created_at)
    revoke_key(factories.api_key("ended")[0])

    page = manager.get(reverse(LIST), {"state": state})

    assert [key.name for key in page.context["cl"].result_list] == [name]


def test_the_list_costs_the_same_queries_for_many_keys(manager: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert manager.get(reverse(LIST)).status_code == 200
        return len(found)

    factories.api_key(kitchen=kitchen("a"))
    queries()
    few = queries()
    for number in range(10):
        factories.api_key(kitchen=kitchen(f"k{number}"))

    assert queries() == few


def test_staff_without_the_permission_makes_no_keys(client: Client) -> None:
    client.force_login(User.objects.create_user("bert", is_staff=True))

    assert client.get(reverse(LIST)).status_code == 403
    assert client.post(reverse(ADD), form()).status_code == 403
    assert not ApiKey.objects.exists()


def test_who_may_not_see_customers_gives_no_key_that_may(client: Client) -> None:
    user = User.objects.create_user("support", is_staff=True)
    for codename in ("view_apikey", "add_apikey", "change_apikey", "work_everywhere"):
        user.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    scopes = ["orders:read", "customers:read"]

    page = client.post(reverse(ADD), form(scopes=scopes))
    assert "Only who may see customers" in page.content.decode()
    assert not ApiKey.objects.exists()

    key, _ = factories.api_key("Wolt", ["orders:read"])
    client.post(reverse(CHANGE, args=[key.pk]), form(scopes=scopes))
    assert ApiKey.objects.get().scopes == ["orders:read"]

    ApiKey.objects.update(scopes=scopes)
    client.post(reverse(CHANGE, args=[key.pk]), form(scopes=["customers:read", "orders:write"]))
    assert ApiKey.objects.get().scopes == ["customers:read", "orders:write"], "what it has already stays"
