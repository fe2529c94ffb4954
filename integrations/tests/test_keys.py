from datetime import timedelta
from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.keys import issue_key, parse_key, revoke_key
from integrations.models import ApiKey
from integrations.tests import factories
from orders.tests.factories import kitchen

pytestmark = pytest.mark.django_db


def create_api_key(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_api_key", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_secret_of_a_key_is_stored_nowhere() -> None:
    key, plain = factories.api_key()

    secret = plain.rpartition("_")[2]
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    assert plain.startswith(f"huuva_{key.prefix}_")
    assert len(secret) == 32
    assert all(secret not in str(value) for value in stored.values())
    assert parse_key(plain) == (key.prefix, key.digest)


def test_no_two_keys_are_alike() -> None:
    keys = {factories.api_key()[1] for _ in range(20)}

    assert len(keys) == 20


def test_two_keys_of_one_name_work_while_one_replaces_the_other() -> None:
    old, _ = factories.api_key("wolt")
    new, _ = factories.api_key("wolt")

    assert revoke_key(old)

    now = timezone.now()
    assert old.state_at(now) == ApiKey.State.REVOKED
    assert new.state_at(now) == ApiKey.State.ACTIVE


def test_a_key_is_revoked_once() -> None:
    key, _ = factories.api_key()
    assert revoke_key(key)
    first = ApiKey.objects.get(pk=key.pk).revoked_at

    assert not revoke_key(key)

    assert ApiKey.objects.get(pk=key.pk).revoked_at == first


def test_a_key_ends_at_its_expiry() -> None:
    key, _ = factories.api_key(expires_at=timezone.now() + timedelta(hours=1))

    assert key.state_at(key.expires_at - timedelta(microseconds=1)) == ApiKey.State.ACTIVE
    assert key.state_at(key.expires_at) == ApiKey.State.EXPIRED


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["orders:eat"]}, "scopes"),
        ({"kitchen": "nowhere"}, "kitchen"),
        ({"rate_limit": -1}, "rate_limit"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        issue_key(**({"name": "wolt", "scopes": ["orders:read"]} | wrong))  # type: ignore[arg-type]

    assert field in refusal.value.message_dict
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": []}, {"digest": "short"}, {"prefix": "A_b"}, {"rate_limit": -1}]
)
def test_the_database_refuses_a_key_that_makes_no_sense(wrong: dict[str, object]) -> None:
    key, _ = factories.api_key()

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(**wrong)


@pytest.mark.parametrize(
    "text",
    ["", "huuva", "huuva__", "huuva_abc", "huuva_abc_", "huuva_a\x00c_" + "x" * 32, "sk_abc_" + "x" * 32],
)
def test_text_that_is_no_key_is_not_looked_up(text: str) -> None:
    assert parse_key(text) is None


def test_command_prints_the_key_alone() -> None:
    out, err = create_api_key("Wolt", "--scope", "orders:write", "--scope", "orders:read")

    key = ApiKey.objects.get()
    parsed = parse_key(out.removesuffix("\n"))
    assert parsed == (key.prefix, key.digest)
    assert key.scopes == ["orders:read", "orders:write"]
    assert (key.kitchen_id, key.rate_limit, key.expires_at) == (None, None, None)
    assert "Wolt" in err
    assert out.strip() not in err


def test_command_takes_kitchen_limit_and_expiry() -> None:
    kitchen("main")

    create_api_key(
        "Wolt",
        *("--scope", "orders:read", "--kitchen", "main"),
        *("--rate-limit", "0", "--expires", "2100-01-01T00:00:00Z"),
    )

    key = ApiKey.objects.get()
    assert (key.kitchen_id, key.rate_limit) == ("main", 0)
    assert key.expires_at is not None
    assert key.expires_at.isoformat() == "2100-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "orders:recall"),
        (["--scope", "orders:eat"], "Unknown scope: orders:eat. Known scopes: orders:read"),
        (
            ["--scope", "orders:read", "--kitchen", "nowhere"],
            "Unknown kitchen: nowhere. Known kitchens: main",
        ),
        (["--scope", "orders:read", "--rate-limit", "-1"], "rate_limit"),
        (["--scope", "orders:read", "--expires", "tomorrow"], "not 'tomorrow'"),
        (["--scope", "orders:read", "--expires", "2100-13-01T00:00:00Z"], "--expires must be"),
        (["--scope", "orders:read", "--expires", "2100-01-01T00:00:00"], "with a zone"),
        (["--scope", "orders:read", "--expires", "2001-01-01T00:00:00Z"], "has passed"),
    ],
)
def test_command_says_what_to_change(words: list[str], told: str) -> None:
    kitchen("main")

    with pytest.raises(CommandError, match=r".") as refusal:
        create_api_key("Wolt", *words)

    assert told in str(refusal.value)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["orders:read"], ["customers:read", "orders:read"]),
        (["events:read", "orders:read", "webhooks:manage"], None),
        (["orders:write"], ["orders:write"]),
        (["orders:recall", "webhooks:manage"], ["orders:recall", "webhooks:manage"]),
    ],
)
def test_keys_that_could_read_customers_go_on_after_an_upgrade(
    before: list[str], after: list[str] | None
) -> None:
    migration = import_module("integrations.migrations.0006_customers_read")
    key, _ = factories.api_key(scopes=before)
    for _twice in range(2):
        migration.grant(apps, None)
        key.refresh_from_db()
        assert key.scopes == (after or sorted([*before, "customers:read"]))
    migration.take_back(apps, None)
    key.refresh_from_db()
    assert key.scopes == before


def test_going_back_leaves_no_key_without_a_scope() -> None:
    migration = import_module("integrations.migrations.0006_customers_read")
    key, _ = factories.api_key(scopes=["customers:read"])
    migration.take_back(apps, None)
    key.refresh_from_db()
    assert key.scopes == ["customers:read"], "it opens nothing"
