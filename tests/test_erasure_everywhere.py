"""A customer's data goes from every table and from Valkey: planted wherever somebody can put it, then searched for."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from integrations.channels.purging import purge_channels
from integrations.deliveries import results
from integrations.deliveries.claim import claim
from integrations.deliveries.create import make_deliveries
from integrations.deliveries.sending import Outcome
from integrations.models import ChannelMessage, ChannelOrder, Delivery, IdempotencyRecord
from integrations.tests import factories as keys
from integrations.tests.channels import factories as channel
from integrations.tests.factories import endpoint
from kitchen_display.models import AmendmentAlarm
from kitchen_display.tests import factories as display
from orders import clock
from orders.audit import record
from orders.models import Amendment, Kitchen, Order, StatusChange
from orders.privacy import anonymise_due, erase_account
from orders.services import move_order
from orders.statuses import PICKED_UP
from orders.tasks import check_history
from orders.tests import factories
from tests import planted

pytestmark = pytest.mark.django_db(transaction=True)
ACCOUNT = "account-7c1f-planted"
# Written otherwise by each who writes it; its last digits are the same.
PHONES = (planted.PHONE, "040 771 9355", "+358 40 7719355")
NEEDLE = re.compile(r"planted-7c1f|771\s?9355", re.IGNORECASE)
ACCOUNT_TOO = re.compile(rf"{NEEDLE.pattern}|{ACCOUNT}", re.IGNORECASE)
SOMEBODY_ELSE = "Grace Hopper of another account"


def test_an_erased_account_is_in_no_table_and_not_in_valkey() -> None:
    plant()
    assert len(tables_with(ACCOUNT_TOO)) >= 10, "the test itself must plant what it looks for"

    erase_account(ACCOUNT)

    assert everywhere(ACCOUNT_TOO) == []
    assert_the_rest_stands()


def test_what_retention_removes_is_in_no_table_and_not_in_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the account and lines of the audit, by which nobody is looked for."""
    plant(idempotency_key="first")
    LogEntry.objects.filter(object_repr__contains="Planted").delete()
    Kitchen.objects.update(retention_days=1)
    in_two_days = clock.now() + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: in_two_days)

    assert anonymise_due() == 3
    purge_channels()

    assert everywhere(NEEDLE) == []
    assert set(Order.objects.values_list("account", flat=True)) == {ACCOUNT, "other"}


def test_erasing_twice_and_what_was_erased_before_harms_nothing() -> None:
    plant()
    erased = erase_account(ACCOUNT)
    rows = contents()

    assert erase_account(ACCOUNT).orders == 0
    again = erase_account(erased.account)

    assert (erased.orders, again.orders) == (2, 2)
    changed = {table for table, content in contents().items() if content != rows[table]}
    assert changed <= {
        "orders_order",
        "integrations_idempotencyrecord",
        "analytics_customer",
        "orders_erasure",
    }


def test_an_answer_after_the_erasure_is_not_stored() -> None:
    """The receiver got it before, and repeats it in its answer."""
    endpoint(include_customer=True)
    order = factories.order(account=ACCOUNT, customer_name=planted.NAME)
    move_order(order.pk, PICKED_UP, actor="user:anna")
    make_deliveries()
    claimed = claim("me", healthy=False, limit=9, in_flight={})
    assert claimed

    erase_account(ACCOUNT)
    # The lease is no other's: the same run does not send it twice.
    assert claim("me", healthy=False, limit=9, in_flight={}) == []
    results.store(
        "me",
        [
            results.Result(delivery, Outcome(delivery.id, 200, 9, answer=f"Thanks, {planted.NAME}"))
            for delivery in claimed
        ],
    )

    deliveries = Delivery.objects.filter(pk__in=[delivery.id for delivery in claimed])
    assert [(one.state, one.log[0]["answer"]) for one in deliveries] == [(Delivery.State.DELIVERED, "")]
    assert everywhere(ACCOUNT_TOO) == []


def test_a_repeated_call_gets_the_answer_without_the_customer() -> None:
    key = api_key()
    first = create(key, "mine", idempotency_key="k-1")
    move(key, "mine", "PICKED_UP", reason=planted.NOTE, idempotency_key="k-2")
    refused = move(key, "mine", "PREPARING", reason=planted.NOTE, idempotency_key="k-3")

    erase_account(ACCOUNT)

    again = create(key, "mine", idempotency_key="k-1")
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    was, now = first.json(), again.json()
    assert now["customer"] == {"name": "–", "phoneNumber": ""}
    assert (now["account"][:7], now["deliveryAddress"], now["note"]) == ("erased-", None, "")
    assert [item["note"] for item in now["items"]] == ["", ""]
    for name in ("account", "customer", "deliveryAddress", "note", "items"):
        was.pop(name), now.pop(name)
    assert was == now
    no = move(key, "mine", "PREPARING", reason=planted.NOTE, idempotency_key="k-3")
    assert (
        (no.status_code, no.json()["code"])
        == (refused.status_code, refused.json()["code"])
        == (409, "impossible_move")
    )
    assert Order.objects.count() == 1


def plant(idempotency_key: str = f"call me at {planted.PHONE}") -> None:
    """Two orders of one customer, by a key and by a channel, and one of somebody else; all ended."""
    key = api_key()
    display.paired(display.screen())
    endpoint(include_customer=True)
    channel.link()
    create(key, "mine", idempotency_key=idempotency_key)
    create(key, "theirs", account="other", name=SOMEBODY_ELSE, idempotency_key="theirs")
    # Refused: it is there already, and what is wrong with it is said.
    create(key, "mine", idempotency_key="again")
    create(key, "wrong", idempotency_key="wrong", channelOrderId=planted.PHONE, pickupTime=planted.NOTE)
    amend(key, "mine", note=f"{planted.NOTE} two", reason=planted.NOTE, idempotency_key="amended")
    amend(key, "mine/items/P 0", note=f"{planted.NOTE} three", reason=planted.NOTE, idempotency_key="item")
    move(key, "mine", "READY", reason=planted.NOTE, idempotency_key="ready")
    recall(key, "mine", reason=f"{planted.NAME} called", idempotency_key="recalled")
    move(key, "mine", "PICKED_UP", reason=planted.NOTE, idempotency_key="gone")
    move(key, "mine", "PICKED_UP", reason=planted.NOTE, idempotency_key="the same again")
    move(key, "theirs", "PICKED_UP", reason="handed out", idempotency_key="theirs too")
    _channel_messages()
    _webhooks_repeat_it()
    _managers_write_it()
    assert AmendmentAlarm.objects.count() == 2 and Amendment.objects.count() == 2


def _channel_messages() -> None:
    customer = {"name": planted.NAME.upper(), "phoneNumber": PHONES[1], "email": "ada@example.com"}
    mine = {"account": ACCOUNT, "customer": customer, "note": planted.NOTE}
    cancelled = [{"status": 100, "timeStamp": "2026-05-01T12:00:00Z", "response": planted.NOTE}]
    channel.send(channel.body("d-1", **mine))
    channel.send(channel.body("d-1", **mine))
    channel.send(channel.cancel("d-1", statusHistory=cancelled, **mine))
    # What came to nothing: no such place, can't be read, waits for its order, and the customer in a note alone.
    channel.send(channel.body("d-2", location="elsewhere", **mine))
    channel.send(channel.body("d-3", items=[], **mine))
    channel.send(channel.cancel("d-4", statusHistory=cancelled, **mine))
    channel.send(channel.body("d-5", location="elsewhere", note=f"call {PHONES[2]}"))
    other = {"name": SOMEBODY_ELSE, "phoneNumber": "+358401112222"}
    channel.send(channel.body("d-6", location="elsewhere", customer=other, channelOrderId="another order"))
    for payload in (json.dumps({"customer": {"name": planted.NAME}}), f'{{"no JSON: "{planted.NAME}'):
        ChannelMessage.objects.create(
            link_id=ChannelOrder.objects.values_list("link", flat=True)[0],
            outcome="refused",
            status_code=409,
            detail=f"{planted.NAME} is not kept",
            channel_status=planted.PHONE,
            payload=payload,
        )


def _webhooks_repeat_it() -> None:
    make_deliveries()
    entry = {
        "at": "2026-05-01T12:00:00Z",
        "status": 422,
        "ms": 9,
        "error": "",
        "answer": f"no {planted.PHONE}",
    }
    Delivery.objects.filter(order_id__in=("mine", "deliverect:d-1")).update(log=[entry, entry])
    assert Delivery.objects.filter(order_id="mine").exists()


def _managers_write_it() -> None:
    anna = User.objects.create_superuser("anna")
    browser = Client()
    browser.force_login(anna)
    # What the admin says of it stays in the session until it is shown.
    for do in ({"do": "cancel", "version": 1, "reason": planted.NOTE}, {"do": planted.NOTE, "version": 1}):
        browser.post(reverse("admin:orders_order_act", args=["mine"]), do)
    browser.get(reverse("admin:orders_order_changelist"), {"q": planted.PHONE})
    LogEntry.objects.create(
        user=anna,
        content_type=ContentType.objects.get_for_model(Kitchen),
        object_repr=f"Kitchen of {planted.NAME}",
        action_flag=CHANGE,
        change_message=json.dumps([{"changed": {"name": planted.NAME, "object": PHONES[2], "fields": []}}]),
    )
    record("orders_exported", Order, user=anna, orders=3)


def assert_the_rest_stands() -> None:
    """Nothing of somebody else's went, nothing of the kitchen's, and the history still fits."""
    other = Order.objects.get(pk="theirs")
    assert other.customer_name == SOMEBODY_ELSE and other.note
    assert StatusChange.objects.filter(order_id="theirs", reason="handed out").exists()
    assert SOMEBODY_ELSE in ChannelMessage.objects.get(external_id="d-6").payload
    assert bytes(IdempotencyRecord.objects.get(key="theirs").body).decode().count(SOMEBODY_ELSE) == 1
    mine = Order.objects.get(pk="mine")
    assert (mine.status, mine.version) == (PICKED_UP, 6)
    assert StatusChange.objects.filter(order_id="mine").count() == 12
    assert check_history() == 0
    assert LogEntry.objects.get(change_message__contains="orders_exported").object_repr == "orders"
    # What can't be taken in any more asks for nobody.
    waiting = ChannelMessage.objects.unsettled()
    assert {message.external_id for message in waiting} == {"d-6"}


def api_key() -> Client:
    factories.kitchen()
    return Client(headers={"authorization": f"Bearer {keys.api_key('shop')[1]}"})


def create(
    key: Client,
    id: str,
    *,
    account: str = ACCOUNT,
    name: str = planted.NAME,
    idempotency_key: str,
    **more: Any,
) -> Any:
    body = {
        "id": id,
        "account": account,
        "brandId": "burgers",
        "channelOrderId": f"channel-{id}",
        "customer": {"name": name, "phoneNumber": planted.PHONE if account == ACCOUNT else "+358401112222"},
        "deliveryAddress": {"street": planted.STREET if account == ACCOUNT else "Kuja 1", "city": "Helsinki"},
        "pickupTime": "2026-05-01T12:00:00Z",
        "note": planted.NOTE if account == ACCOUNT else "ring twice",
        "items": [
            {"plu": "P 0", "name": "Soup", "quantity": 1, "note": planted.NOTE if account == ACCOUNT else ""},
            {"plu": "P1/", "name": "Bread", "quantity": 2},
        ],
        **more,
    }
    return _call(key, "POST", "/api/orders", body, idempotency_key)


def move(key: Client, id: str, status: str, *, reason: str, idempotency_key: str) -> Any:
    return _call(key, "PATCH", f"/api/orders/{id}", {"status": status, "reason": reason}, idempotency_key)


def amend(key: Client, path: str, *, note: str, reason: str, idempotency_key: str) -> Any:
    answer = _call(key, "PATCH", f"/api/orders/{path}", {"note": note, "reason": reason}, idempotency_key)
    assert answer.status_code == 200, answer.content
    return answer


def recall(key: Client, id: str, *, reason: str, idempotency_key: str) -> Any:
    answer = _call(key, "POST", f"/api/orders/{id}/recall", {"reason": reason}, idempotency_key)
    assert answer.status_code == 200, answer.content
    return answer


def _call(key: Client, method: str, path: str, body: Any, idempotency_key: str) -> Any:
    return key.generic(
        method, path, json.dumps(body), "application/json", headers={"idempotency-key": idempotency_key}
    )


def everywhere(needle: re.Pattern[str]) -> list[str]:
    return [*tables_with(needle), *valkey_with(needle)]


def tables_with(needle: re.Pattern[str]) -> list[str]:
    return sorted({table for table, rows in contents().items() if any(needle.search(row) for row in rows)})


def contents() -> dict[str, list[str]]:
    """Every row of every table as text, bytes and sessions decoded."""
    tables: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT * FROM "{table}"')
            tables[table] = sorted(" | ".join(_text(value) for value in row) for row in cursor.fetchall())
    tables["django_session"] = [repr(session.get_decoded()) for session in Session.objects.all()]
    return tables


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, str) and value[:1] in "[{":
        # Beside what JSON has escaped.
        try:
            return f"{value} {json.dumps(json.loads(value), ensure_ascii=False)}"
        except ValueError:
            return value
    return value.isoformat() if isinstance(value, datetime) else str(value)


def valkey_with(needle: re.Pattern[str]) -> list[str]:
    return [f"valkey {text[:80]}" for text in _valkey() if needle.search(text)]


def _valkey() -> Iterator[str]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    for key in client.scan_iter():
        yield key.decode("utf-8", "replace")
        yield client.dump(key).decode("utf-8", "replace")
        match client.type(key):
            case b"string":
                yield client.get(key).decode("utf-8", "replace")
            case b"list":
                yield from (each.decode("utf-8", "replace") for each in client.lrange(key, 0, -1))
            case b"hash":
                yield repr(client.hgetall(key))
            case b"set":
                yield repr(client.smembers(key))
            case b"zset":
                yield repr(client.zrange(key, 0, -1))
            case b"stream":
                yield repr(client.xrange(key))


def test_the_search_itself_finds_what_is_there() -> None:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.hset("planted", "who", planted.NAME)
    try:
        factories.order(note=planted.NOTE)
        assert tables_with(NEEDLE) == ["orders_order"]
        assert len(valkey_with(NEEDLE)) == 2
    finally:
        client.delete("planted")
