"""What a receiver of webhooks that were made over the API gets: signed, listed, sent again."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import jsonschema
import orjson
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from core.openapi import _description
from integrations.deliveries import create
from integrations.deliveries.loop import Loop
from integrations.events import EVENTS
from integrations.models import Delivery, WebhookEndpoint
from integrations.tests import factories as keys
from integrations.tests.factories import endpoint
from integrations.tests.sinks import work_off
from integrations.tests.webhook_caller import BODY, MANAGE, Caller, caller
from integrations.webhooks.endpoints import send_test
from integrations.webhooks.payloads import message_id
from orders import services
from orders.statuses import PREPARING, RECEIVED
from orders.tests import factories
from tests.receiver import Receiver


def test_a_receiver_verifies_with_the_kept_library(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    made = call("POST", "", {**BODY, "url": receiver.url()}, 201)
    order = factories.order(RECEIVED)
    work_off(loop)
    (heard,) = receiver.requests
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
    factories.order(RECEIVED)
    work_off(loop)
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(receiver.requests[0].body, receiver.requests[0].headers)
    WebhookEndpoint.objects.update(previous_until=datetime.now(UTC) - timedelta(seconds=1))
    factories.order(RECEIVED)
    work_off(loop)
    Webhook(rotated["secret"]).verify(receiver.requests[1].body, receiver.requests[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(receiver.requests[1].body, receiver.requests[1].headers)


def test_a_test_goes_the_way_of_all_messages(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    made = call("POST", "", {**BODY, "url": receiver.url()}, 201)
    sent = call("POST", f"/{made['id']}/test", status=202)
    work_off(loop)
    assert (
        Webhook(made["secret"]).verify(receiver.requests[0].body, receiver.requests[0].headers)["type"]
        == "webhook.test"
    )
    seen = call("GET", f"/{made['id']}/deliveries/{sent['id']}")
    assert (seen["state"], seen["lastStatus"], len(seen["tries"])) == ("delivered", 204, 1)


def test_deliveries_are_listed_newest_first_by_pages(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    made = call("POST", "", {**BODY, "events": list(EVENTS), "url": receiver.url()}, 201)
    order = factories.order(RECEIVED)
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
    factories.order(RECEIVED)  # of before the webhook
    made = call("POST", "", {**BODY, "events": list(EVENTS), "url": receiver.url()}, 201)
    order = factories.order(RECEIVED)
    services.move_order(order.id, PREPARING, actor="key:test")
    work_off(loop)
    first = [one.headers["webhook-id"] for one in receiver.requests]
    path = f"/{made['id']}/replay"
    assert call("POST", path, {"order": order.id}, 202) == {"deliveries": 3}
    work_off(loop)
    assert [one.headers["webhook-id"] for one in receiver.requests] == first * 2
    assert call("POST", path, {"since": before.isoformat()}, 202) == {"deliveries": 4}
    work_off(loop)
    assert len(receiver.requests) == 10
    one = Delivery.objects.order_by("pk").first()
    assert one is not None
    call("POST", path, {"delivery": str(one.pk)}, 202)
    work_off(loop)
    assert receiver.requests[-1].headers["webhook-id"] == first[0]


def test_what_was_missed_while_it_was_disabled_comes_by_a_replay(receiver: Receiver, loop: Loop) -> None:
    call = caller()
    made = call("POST", "", {**BODY, "url": receiver.url()}, 201)
    work_off(loop)
    call("PATCH", f"/{made['id']}", {"enabled": False})
    since = datetime.now(UTC)
    factories.order(RECEIVED)
    work_off(loop)
    call("PATCH", f"/{made['id']}", {"enabled": True})
    work_off(loop)
    assert receiver.requests == []
    call("POST", f"/{made['id']}/replay", {"since": since.isoformat()}, 202)
    work_off(loop)
    assert len(receiver.requests) == 1


def test_a_revoked_key_ends_customer_data_unless_a_namesake_may_read(receiver: Receiver, loop: Loop) -> None:
    key, plain = keys.api_key("shop", MANAGE)
    Caller(plain)("POST", "", {**BODY, "url": receiver.url(), "includeCustomer": True}, 201)
    second, _ = keys.api_key("shop", MANAGE)
    for ended in (None, key, second):
        if ended is not None:
            keys.ApiKey.objects.filter(pk=ended.pk).update(revoked_at=datetime.now(UTC))
        factories.order(RECEIVED, customer_name="Ada Lovelace")
        work_off(loop)
    assert [b"Ada Lovelace" in one.body for one in receiver.requests] == [True, True, False]


def test_messages_are_as_the_openapi_describes_them(receiver: Receiver, loop: Loop) -> None:
    document = orjson.loads(_description()[0])
    content = document["webhooks"]["event"]["post"]["requestBody"]["content"]["application/json"]
    validator = jsonschema.Draft202012Validator({**content["schema"], "components": document["components"]})
    for example in content["examples"].values():
        validator.validate(example["value"])
    endpoint(receiver.url("/plain"))
    whole = endpoint(receiver.url("/customer"), include_customer=True)
    order = factories.order(RECEIVED)
    services.move_order(order.id, PREPARING, actor="key:test")
    type(order).objects.filter(pk=order.id).update(due_at=datetime.now(UTC) - timedelta(hours=1))
    create.make_deliveries(late=True)
    send_test(whole)
    work_off(loop)
    bodies = [orjson.loads(one.body) for one in receiver.requests]
    assert {body["type"] for body in bodies} == {*EVENTS, "webhook.test"} - {"order.recalled"}
    for body in bodies:
        validator.validate(body)


def test_a_webhook_calls_an_order_as_the_keys_of_its_kitchen_do(receiver: Receiver, loop: Loop) -> None:
    """Though another kitchen has the id, too: nothing it is told differs from what it would be told otherwise."""
    theirs = factories.order(RECEIVED, id="A17", of=factories.kitchen("theirs"))
    ours = factories.kitchen("ours")
    bound = caller("bound", kitchen="ours")
    everywhere = caller("everywhere")
    hooks = {}
    for call, path in ((bound, "/bound"), (everywhere, "/everywhere")):
        body = {**BODY, "url": receiver.url(path), "kitchen": "ours"}
        hooks[path] = call("POST", "", body, 201)["id"]
    new = factories.new_order(RECEIVED, id="A17")
    order = factories.OrderFactory(new=new, kitchen=ours, own_ids=True)
    assert order.id != theirs.id
    work_off(loop)
    heard = {one.path: orjson.loads(one.body) for one in receiver.requests}
    assert {path: body["data"]["orderId"] for path, body in heard.items()} == {
        "/bound": "A17",
        "/everywhere": order.id,
    }
    assert heard["/bound"]["data"]["order"]["id"] == "A17"
    assert heard["/bound"]["id"] == message_id("A17", 1, 0)
    page = bound("GET", f"/{hooks['/bound']}/deliveries?order=A17")
    (delivery,) = page["results"]
    assert (delivery["orderId"], delivery["messageId"]) == ("A17", heard["/bound"]["id"])
    assert bound("GET", f"/{hooks['/bound']}/deliveries?order={quote(order.id)}")["results"] == []
    assert bound("POST", f"/{hooks['/bound']}/replay", {"order": "A17"}, 202) == {"deliveries": 1}
    (seen,) = everywhere("GET", f"/{hooks['/everywhere']}/deliveries")["results"]
    assert seen["orderId"] == order.id
    assert everywhere("POST", f"/{hooks['/everywhere']}/replay", {"order": "A17"}, 202) == {"deliveries": 0}
