"""Webhooks over the API: whose they are, what is refused, secrets shown once, replay."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.deliveries import health
from integrations.keys import end_expired_keys, revoke_key
from integrations.models import ApiKey, Delivery, Sink, WebhookEndpoint
from integrations.tests import factories as keys
from integrations.tests.webhook_caller import BODY, MANAGE, Caller, caller
from integrations.webhooks.endpoints import send_test
from orders.tests import factories


@pytest.mark.django_db
def test_a_secret_is_shown_once_and_never_stored() -> None:
    call = caller()
    made = call("POST", "", BODY, 201)
    assert made["secret"].startswith("whsec_")
    assert "secret" not in call("GET", f"/{made['id']}")
    assert "secret" not in call("GET")["results"][0]
    stored = repr(WebhookEndpoint.objects.values().get())
    assert made["secret"].removeprefix("whsec_") not in stored


@pytest.mark.django_db
def test_a_key_sees_only_webhooks_of_its_name_and_kitchen() -> None:
    shop, other = caller("shop"), caller("other")
    bound = caller("shop", kitchen="sushi")
    of_all = shop("POST", "", BODY, 201)
    of_sushi = bound("POST", "", BODY, 201)
    assert of_sushi["kitchen"] == "sushi"
    assert {found["id"] for found in shop("GET")["results"]} == {of_all["id"], of_sushi["id"]}
    assert [found["id"] for found in bound("GET")["results"]] == [of_sushi["id"]]
    assert other("GET")["results"] == []
    for path, method, body in [
        ("", "GET", None),
        ("", "PATCH", {"name": "mine"}),
        ("", "DELETE", None),
        ("/rotate-secret", "POST", None),
        ("/test", "POST", None),
        ("/replay", "POST", {"order": "x"}),
        ("/deliveries", "GET", None),
        ("/deliveries/1", "GET", None),
    ]:
        other(method, f"/{of_all['id']}{path}", body, 404)
        bound(method, f"/{of_all['id']}{path}", body, 404)
    assert WebhookEndpoint.objects.present().count() == 2


@pytest.mark.django_db
def test_a_key_of_one_kitchen_makes_webhooks_of_that_kitchen_only() -> None:
    factories.kitchen("main")
    problem = caller(kitchen="sushi")("POST", "", {**BODY, "kitchen": "main"}, 403)
    assert problem["code"] == "kitchen_forbidden"
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.django_db
def test_without_the_scope_nothing_is_shown() -> None:
    assert caller(scopes=("orders:read",))("GET", status=403)["code"] == "missing_scope"


@pytest.mark.django_db
def test_customer_data_needs_a_key_that_may_be_told_of_customers() -> None:
    call = caller(scopes=("webhooks:manage", "orders:read"))
    problem = call("POST", "", {**BODY, "includeCustomer": True}, 403)
    assert problem["requiredScope"] == "customers:read"
    made = call("POST", "", BODY, 201)
    call("PATCH", f"/{made['id']}", {"includeCustomer": True}, 403)
    assert not WebhookEndpoint.objects.get().include_customer


@pytest.mark.django_db
def test_who_may_not_read_customer_data_can_not_redirect_it() -> None:
    made = caller("shop")("POST", "", {**BODY, "includeCustomer": True}, 201)
    lesser = caller("shop", scopes=("webhooks:manage",))
    elsewhere = {"url": "https://elsewhere.example.com/"}
    problem = lesser("PATCH", f"/{made['id']}", elsewhere, 403)
    assert problem["requiredScope"] == "customers:read"
    assert WebhookEndpoint.objects.get().url == BODY["url"]
    lesser("PATCH", f"/{made['id']}", {"name": "Other"})
    lesser("PATCH", f"/{made['id']}", {**elsewhere, "includeCustomer": False})
    found = WebhookEndpoint.objects.get()
    assert (found.url, found.include_customer) == (elsewhere["url"], False)


@pytest.mark.parametrize(
    "field, value, pointer",
    [
        ("url", "http://shop.example.com/", "/url"),
        ("url", "https://127.0.0.1/", "/url"),
        ("url", "https://[::1]/", "/url"),
        ("url", 7, "/url"),
        ("events", [], "/events"),
        ("events", ["order.eaten"], "/events/0"),
        ("events", "order.created", "/events"),
        ("name", " ", "/name"),
        ("name", "a" * 65, "/name"),
        ("kitchen", "nowhere", "/kitchen"),
        ("channel", "c" * 65, "/channel"),
        ("includeCustomer", "yes", "/includeCustomer"),
    ],
)
@pytest.mark.django_db
def test_a_wrong_field_is_named(field: str, value: Any, pointer: str) -> None:
    problem = caller()("POST", "", {**BODY, field: value}, 400)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.django_db
def test_a_webhook_can_be_changed_disabled_and_enabled() -> None:
    call = caller()
    made = call("POST", "", BODY, 201)
    path = f"/{made['id']}"
    changed = call(
        "PATCH",
        path,
        {"events": ["order.late", "order.late"], "channel": "wolt", "url": "https://new.example.com"},
    )
    assert (changed["events"], changed["channel"]) == (["order.late"], "wolt")
    Sink.objects.update(failures=9, failing_since=datetime.now(UTC))
    assert call("PATCH", path, {"enabled": False})["disabledReason"] == "by_hand"
    assert call("POST", f"{path}/test", status=409)["code"] == "webhook_disabled"
    assert call("POST", f"{path}/replay", {"order": "1"}, 409)["code"] == "webhook_disabled"
    enabled = call("PATCH", path, {"enabled": True})
    assert (enabled["enabled"], enabled["failures"], enabled["failingSince"]) == (True, 0, None)
    call("DELETE", path, status=204)
    call("GET", path, status=404)


@pytest.mark.django_db
def test_webhooks_of_a_revoked_key_end_unless_it_was_rotated() -> None:
    old, plain = keys.api_key("shop", MANAGE)
    rotated, _ = keys.api_key("shop", MANAGE)
    made = Caller(plain)("POST", "", BODY, 201)
    waiting = send_test(WebhookEndpoint.objects.get())

    assert revoke_key(old)
    assert WebhookEndpoint.objects.get().active

    assert revoke_key(rotated)
    ended = WebhookEndpoint.objects.get()
    assert (ended.active, ended.disabled_reason) == (False, "key_revoked")
    waiting.refresh_from_db()
    assert waiting.state == Delivery.State.GIVEN_UP
    # A new key of the name finds it as it is, and can enable it.
    call = caller()
    assert call("GET", f"/{made['id']}")["disabledReason"] == "key_revoked"
    assert call("PATCH", f"/{made['id']}", {"enabled": True})["enabled"] is True


def expire(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_webhooks_end_with_their_expired_key_unless_it_was_rotated(
    settings: Any, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    settings.HUUVA_ALERT_EMAILS = ["manager@example.com"]
    settings.HUUVA_SMTP_URL = "smtp://mail.example.com"
    old, plain = keys.api_key("shop", MANAGE)
    rotated, _ = keys.api_key("shop", MANAGE)
    Caller(plain)("POST", "", BODY, 201)
    waiting = send_test(WebhookEndpoint.objects.get())

    expire(old)
    assert end_expired_keys() == 1
    assert WebhookEndpoint.objects.get().active

    expire(rotated)
    with django_capture_on_commit_callbacks(execute=True):
        assert [end_expired_keys(), end_expired_keys()] == [1, 0]
    ended = WebhookEndpoint.objects.get()
    assert (ended.active, ended.disabled_reason) == (False, "key_expired")
    waiting.refresh_from_db()
    assert waiting.state == Delivery.State.GIVEN_UP
    assert len(mailoutbox) == 1
    assert caller()("GET")["results"][0]["disabledReason"] == "key_expired"


@pytest.mark.django_db
def test_a_webhook_enabled_after_its_key_expired_stays_enabled() -> None:
    key, plain = keys.api_key("shop", MANAGE)
    made = Caller(plain)("POST", "", BODY, 201)
    expire(key)
    end_expired_keys()

    health.enable(made["id"])
    assert end_expired_keys() == 0
    assert WebhookEndpoint.objects.get().active

    ApiKey.objects.update(
        expiry_noted_at=timezone.now() - timedelta(days=1)
    )  # its life was made longer since
    assert end_expired_keys() == 1
    assert not WebhookEndpoint.objects.get().active


@pytest.mark.django_db
def test_a_key_of_one_kitchen_keeps_no_webhook_of_another() -> None:
    everywhere, plain = keys.api_key("shop", MANAGE)
    factories.kitchen("harju")
    keys.api_key("shop", MANAGE, kitchen=factories.kitchen("kallio"))
    keys.api_key("other", MANAGE)
    for kitchen in ("harju", "kallio", None):
        Caller(plain)("POST", "", {**BODY, "kitchen": kitchen}, 201)

    revoke_key(everywhere)

    assert {found.kitchen_id: found.active for found in WebhookEndpoint.objects.all()} == {
        "harju": False,
        "kallio": True,
        None: False,
    }


@pytest.mark.django_db
def test_all_that_is_wrong_is_said_at_once() -> None:
    call = caller()
    wrong = {"name": "", "url": "https://127.0.0.1/", "events": ["order.nothing"], "kitchen": "atlantis"}

    told = call("POST", "", wrong, 400)

    assert told["code"] == "invalid_body"
    assert {error["pointer"]: error["code"] for error in told["errors"]} == {
        "/name": "too_short",
        "/url": "private",
        "/events/0": "unknown_event",
        "/kitchen": "unknown_kitchen",
    }
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["?sate=waiting", "/{id}/deliveries?sate=waiting&limit=no"])
def test_a_mistyped_filter_is_refused_by_name(path: str) -> None:
    call = caller()
    made = call("POST", "", BODY, 201)

    told = call("GET", path.format(**made), None, 400)

    assert told["code"] == "invalid_parameter"
    names = [error["pointer"] for error in told["errors"]]
    assert names == (["?sate"] if path.startswith("?") else ["?limit", "?sate"])
    if "limit" in path:
        assert told["errors"][1]["detail"].endswith("these are known: cursor, limit, order, state.")


@pytest.mark.parametrize("body", [{}, {"unknown": 1}, {"url": "http://127.0.0.1/"}, {"enabled": "no"}])
@pytest.mark.django_db
def test_a_change_says_what_changes(body: Any) -> None:
    call = caller()
    made = call("POST", "", BODY, 201)
    call("PATCH", f"/{made['id']}", body, 400)
    assert call("GET", f"/{made['id']}")["url"] == BODY["url"]


@pytest.mark.django_db
def test_a_key_has_a_hundred_webhooks_at_most() -> None:
    call = caller()
    for _ in range(3):
        call("POST", "", BODY, 201)
    Sink.objects.bulk_create([Sink(kind="webhook", name="x", events=["order.late"]) for _ in range(97)])
    for sink in Sink.objects.filter(name="x"):
        child = WebhookEndpoint(sink_ptr_id=sink.pk, owner="shop", nonce="n", url="https://example.com")
        child.save_base(raw=True)
    assert call("POST", "", BODY, 409)["code"] == "too_many_webhooks"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"since": "2026-01-01T00:00:00Z", "order": "1"},
        {"since": "2001-01-01T00:00:00Z"},
        {"delivery": "x"},
    ],
)
@pytest.mark.django_db
def test_a_replay_says_what_it_wants(body: Any) -> None:
    call = caller()
    made = call("POST", "", BODY, 201)
    call("POST", f"/{made['id']}/replay", body, 400)


@pytest.mark.django_db
def test_a_replay_of_no_delivery_names_the_field() -> None:
    call = caller()
    path = f"/{call('POST', '', BODY, 201)['id']}/replay"
    for unknown in ("77", "0" * 17):
        problem = call("POST", path, {"delivery": unknown}, 409)
        assert problem["code"] == "unknown_delivery"
        assert [error["pointer"] for error in problem["errors"]] == ["/delivery"]
