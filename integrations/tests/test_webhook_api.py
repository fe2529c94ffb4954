"""Webhooks over the API: whose they are, what is refused, secrets shown once, replay."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import orjson
import pytest
from django.test import Client
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bench.receiver import Receiver
from huuva.openapi import _description
from integrations.deliveries import making
from integrations.deliveries.loop import Loop
from integrations.events import EVENTS
from integrations.keys import revoke_key
from integrations.models import Delivery, Sink, WebhookEndpoint
from integrations.tests import factories as keys
from integrations.tests.sinks import endpoint, running, work_off
from integrations.webhooks.endpoints import send_test
from orders import services
from orders.statuses import PREPARING
from orders.tests import factories

BODY = {"name": "Screen", "url": "https://shop.example.com/hook", "events": ["order.created"]}
MANAGE = ("webhooks:manage", "orders:read")


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
def test_customer_data_needs_a_key_that_may_read_orders() -> None:
    call = caller(scopes=("webhooks:manage",))
    problem = call("POST", "", {**BODY, "includeCustomer": True}, 403)
    assert problem["requiredScope"] == "orders:read"
    made = call("POST", "", BODY, 201)
    call("PATCH", f"/{made['id']}", {"includeCustomer": True}, 403)
    assert not WebhookEndpoint.objects.get().include_customer


@pytest.mark.django_db
def test_who_may_not_read_customer_data_can_not_lead_it_to_another_address() -> None:
    made = caller("shop")("POST", "", {**BODY, "includeCustomer": True}, 201)
    lesser = caller("shop", scopes=("webhooks:manage",))
    elsewhere = {"url": "https://elsewhere.example.com/"}
    problem = lesser("PATCH", f"/{made['id']}", elsewhere, 403)
    assert problem["requiredScope"] == "orders:read"
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


# --- with a receiver -------------------------------------------------------------------------------------------------


@pytest.fixture
def open_network(settings: Any) -> None:
    settings.HUUVA_WEBHOOKS_ALLOW_PRIVATE = settings.HUUVA_WEBHOOKS_ALLOW_HTTP = True


@pytest.fixture
def receiver(open_network: None) -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture
def loop(transactional_db: None) -> Iterator[Loop]:
    with running() as found:
        yield found


def test_a_receiver_verifies_with_the_kept_library(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    made = call("POST", "", {**BODY, "url": receiver.url()}, 201)
    order = factories.order(1)
    work_off(loop)
    (heard,) = receiver.heard
    body = Webhook(made["secret"]).verify(heard.body, heard.headers)
    assert (body["type"], body["data"]["orderId"]) == ("order.created", order.id)
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(heard.body.replace(b"RECEIVED", b"READY"), heard.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 44).verify(heard.body, heard.headers)


def test_after_a_rotation_both_secrets_sign_for_a_day(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    made = call("POST", "", {**BODY, "url": receiver.url()}, 201)
    rotated = call("POST", f"/{made['id']}/rotate-secret")
    assert rotated["secret"] != made["secret"]
    factories.order(1)
    work_off(loop)
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(receiver.heard[0].body, receiver.heard[0].headers)
    WebhookEndpoint.objects.update(previous_until=datetime.now(UTC) - timedelta(seconds=1))
    factories.order(1)
    work_off(loop)
    Webhook(rotated["secret"]).verify(receiver.heard[1].body, receiver.heard[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(receiver.heard[1].body, receiver.heard[1].headers)


def test_a_test_goes_the_way_of_all_messages(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    made = call("POST", "", {**BODY, "url": receiver.url()}, 201)
    sent = call("POST", f"/{made['id']}/test", status=202)
    work_off(loop)
    assert (
        Webhook(made["secret"]).verify(receiver.heard[0].body, receiver.heard[0].headers)["type"]
        == "webhook.test"
    )
    seen = call("GET", f"/{made['id']}/deliveries/{sent['id']}")
    assert (seen["state"], seen["lastStatus"], len(seen["tries"])) == ("delivered", 204, 1)


def test_deliveries_are_listed_newest_first_by_pages(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    made = call("POST", "", {**BODY, "events": list(EVENTS), "url": receiver.url()}, 201)
    order = factories.order(1)
    services.move_order(order.id, PREPARING, actor="key:test")
    work_off(loop)
    path = f"/{made['id']}/deliveries"
    page = call("GET", f"{path}?limit=2&state=delivered&order={order.id}")
    assert [found["sequence"] for found in page["results"]] == [4, 3]
    rest = call("GET", f"{path}?{page['next'].partition('?')[2]}")
    assert ([found["sequence"] for found in rest["results"]], rest["next"]) == ([1], None)
    assert call("GET", f"{path}?state=waiting")["results"] == []
    problem = call("GET", f"{path}?limit=0&cursor=x&state=lost", status=400)
    assert {error["pointer"] for error in problem["errors"]} == {"?limit", "?cursor", "?state"}


def test_a_replay_sends_again_with_the_same_ids_and_in_the_same_order(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    before = datetime.now(UTC)
    factories.order(1)  # of before the webhook
    made = call("POST", "", {**BODY, "events": list(EVENTS), "url": receiver.url()}, 201)
    order = factories.order(1)
    services.move_order(order.id, PREPARING, actor="key:test")
    work_off(loop)
    first = [one.headers["webhook-id"] for one in receiver.heard]
    path = f"/{made['id']}/replay"
    assert call("POST", path, {"order": order.id}, 202) == {"deliveries": 3}
    work_off(loop)
    assert [one.headers["webhook-id"] for one in receiver.heard] == first * 2
    assert call("POST", path, {"since": before.isoformat()}, 202) == {"deliveries": 4}
    work_off(loop)
    assert len(receiver.heard) == 10
    one = Delivery.objects.order_by("pk").first()
    assert one is not None
    call("POST", path, {"delivery": str(one.pk)}, 202)
    work_off(loop)
    assert receiver.heard[-1].headers["webhook-id"] == first[0]


def test_what_was_missed_while_it_was_disabled_comes_by_a_replay(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    made = call("POST", "", {**BODY, "url": receiver.url()}, 201)
    work_off(loop)
    call("PATCH", f"/{made['id']}", {"enabled": False})
    since = datetime.now(UTC)
    factories.order(1)
    work_off(loop)
    call("PATCH", f"/{made['id']}", {"enabled": True})
    work_off(loop)
    assert receiver.heard == []
    call("POST", f"/{made['id']}/replay", {"since": since.isoformat()}, 202)
    work_off(loop)
    assert len(receiver.heard) == 1


def test_a_revoked_key_ends_customer_data_unless_another_of_its_name_may_read(
    receiver: Receiver, loop: Loop
) -> None:
    key, plain = keys.api_key("shop", MANAGE)
    Caller(plain)("POST", "", {**BODY, "url": receiver.url(), "includeCustomer": True}, 201)
    second, _ = keys.api_key("shop", MANAGE)
    for ended in (None, key, second):
        if ended is not None:
            keys.ApiKey.objects.filter(pk=ended.pk).update(revoked_at=datetime.now(UTC))
        factories.order(1, customer_name="Ada Lovelace")
        work_off(loop)
    assert [b"Ada Lovelace" in one.body for one in receiver.heard] == [True, True, False]


def test_messages_are_as_the_openapi_describes_them(receiver: Receiver, loop: Loop) -> None:
    document = orjson.loads(_description()[0])
    content = document["webhooks"]["event"]["post"]["requestBody"]["content"]["application/json"]
    validator = jsonschema.Draft202012Validator({**content["schema"], "components": document["components"]})
    for example in content["examples"].values():
        validator.validate(example["value"])
    endpoint(receiver.url("/plain"))
    whole = endpoint(receiver.url("/customer"), include_customer=True)
    order = factories.order(1)
    services.move_order(order.id, PREPARING, actor="key:test")
    type(order).objects.filter(pk=order.id).update(due_at=datetime.now(UTC) - timedelta(hours=1))
    making.make_deliveries(late=True)
    send_test(whole)
    work_off(loop)
    bodies = [orjson.loads(one.body) for one in receiver.heard]
    assert {body["type"] for body in bodies} == {*EVENTS, "webhook.test"} - {"order.recalled"}
    for body in bodies:
        validator.validate(body)


@pytest.mark.django_db
def test_a_replay_of_no_delivery_names_the_field() -> None:
    call = caller()
    path = f"/{call('POST', '', BODY, 201)['id']}/replay"
    for unknown in ("77", "none", "9" * 30):
        problem = call("POST", path, {"delivery": unknown}, 400)
        assert [error["pointer"] for error in problem["errors"]] == ["/delivery"]
