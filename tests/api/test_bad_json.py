"""Bodies that are not the JSON we take: each is refused with 400, and nothing is stored."""

import json

import pytest

from tests import planted
from tests.api.client import Client, check_problem, new_order, order_path

NOT_JSON = "invalid_json"
EITHER = "invalid_json invalid_body"
GOOD = json.dumps(new_order(id="ID", account="ACCOUNT")).encode()


def in_name(text: bytes) -> bytes:
    return GOOD.replace(planted.NAME.encode(), text)


def with_quantity(text: bytes) -> bytes:
    return GOOD.replace(b'"quantity": 2', b'"quantity": ' + text)


BODIES: list[tuple[str, bytes, str]] = [
    ("empty", b"", EITHER),
    ("spaces", b"   \n", EITHER),
    ("words", b"not json", NOT_JSON),
    ("html", b"<html><body>order</body></html>", NOT_JSON),
    ("a form", b"account=1&brandId=2", NOT_JSON),
    ("python", b"{'account': 'x'}", NOT_JSON),
    ("a comment", b"/* order */ " + GOOD, NOT_JSON),
    ("a comma too many", GOOD[:-1] + b",}", NOT_JSON),
    ("truncated in an object", GOOD[:-1], NOT_JSON),
    ("truncated in a string", GOOD[:25], NOT_JSON),
    ("truncated in a list", GOOD[: GOOD.index(b"]")], NOT_JSON),
    ("one bracket", b"{", NOT_JSON),
    ("more after the end", GOOD + b" {}", NOT_JSON),
    ("two orders", GOOD + b"\n" + GOOD, NOT_JSON),
    ("an empty list", b"[]", EITHER),
    ("a list of orders", b"[" + GOOD + b"]", EITHER),
    ("null", b"null", EITHER),
    ("true", b"true", EITHER),
    ("a number", b"1", EITHER),
    ("a string", b'"order"', EITHER),
    ("an empty object", b"{}", "invalid_body"),
    ("a key twice", b'{"account": "ACCOUNT", ' + GOOD[1:], EITHER),
    ("a key twice with other values", b'{"account": "other", ' + GOOD[1:], EITHER),
    (
        "a key twice in the customer",
        GOOD.replace(b'{"name": "Ada', b'{"name": "Eino", "name": "Ada'),
        EITHER,
    ),
    ("a key twice in an item", GOOD.replace(b'"quantity": 2', b'"quantity": 1, "quantity": 2'), EITHER),
    ("a key twice in an unknown field", b'{"x": {"a": 1, "a": 2}, ' + GOOD[1:], EITHER),
    ("a key twice, once escaped", b'{"\\u0061ccount": "ACCOUNT", ' + GOOD[1:], EITHER),
    ("both spellings of a field", b'{"brand_id": "brand-1", ' + GOOD[1:], EITHER),
    ("both spellings in the customer", in_name(b'A", "phone_number": "+358'), EITHER),
    ("Latin-1", in_name("Äinö".encode("latin-1")), NOT_JSON),
    ("a UTF-8 sequence cut short", in_name(b"A\xc3"), NOT_JSON),
    ("overlong UTF-8", in_name(b"\xc0\xaf"), NOT_JSON),
    ("a surrogate as UTF-8", in_name(b"\xed\xa0\x80"), NOT_JSON),
    ("UTF-16", GOOD.decode().encode("utf-16"), NOT_JSON),
    ("UTF-32", GOOD.decode().encode("utf-32"), NOT_JSON),
    ("invalid UTF-8 alone", b"\xff\xfe\xfd", NOT_JSON),
    ("raw NUL in a name", in_name(b"A\x00B"), NOT_JSON),
    ("raw NUL before the object", b"\x00" + GOOD, NOT_JSON),
    ("raw NUL after the object", GOOD + b"\x00", NOT_JSON),
    ("raw line feed in a name", in_name(b"A\nB"), NOT_JSON),
    ("escaped NUL in a name", in_name(b"A\\u0000B"), EITHER),
    ("escaped NUL in the id", GOOD.replace(b'"ID"', b'"ID\\u0000"'), EITHER),
    ("escaped NUL in a PLU", GOOD.replace(b"BURGER-1", b"B\\u0000"), EITHER),
    ("high surrogate alone", in_name(b"\\ud83d"), EITHER),
    ("low surrogate alone", in_name(b"\\ude00 A"), EITHER),
    ("surrogates in the wrong order", in_name(b"\\ude00\\ud83d"), EITHER),
    ("lone surrogate in a PLU", GOOD.replace(b"BURGER-1", b"B\\ud800"), EITHER),
    ("lone surrogate in a status", b'{"status": "\\ud800", ' + GOOD[1:], EITHER),
    ("NaN", with_quantity(b"NaN"), EITHER),
    ("Infinity", with_quantity(b"Infinity"), EITHER),
    ("-Infinity", with_quantity(b"-Infinity"), EITHER),
    ("NaN in an unknown field", b'{"x": NaN, ' + GOOD[1:], EITHER),
    ("a float beyond all floats", with_quantity(b"1e400"), EITHER),
    ("an integer of 10,000 digits", with_quantity(b"9" * 10_000), EITHER),
    ("an integer of 10,000 digits as status", b'{"status": ' + b"9" * 10_000 + b", " + GOOD[1:], EITHER),
    ("a number with a leading zero", with_quantity(b"01"), NOT_JSON),
    ("a hexadecimal number", with_quantity(b"0x1"), NOT_JSON),
    ("100,000 brackets", b"[" * 100_000, EITHER),
    ("100,000 closed brackets", b"[" * 100_000 + b"]" * 100_000, EITHER),
    ("100,000 brackets in an item", with_quantity(b"[" * 100_000 + b"]" * 100_000), EITHER),
    ("20,000 objects in each other", b'{"a":' * 20_000 + b"1" + b"}" * 20_000, EITHER),
]


@pytest.mark.parametrize(("raw", "codes"), [pytest.param(raw, codes, id=name) for name, raw, codes in BODIES])
def test_body_that_is_not_our_json_is_refused(client: Client, raw: bytes, codes: str) -> None:
    mine = new_order()
    raw = raw.replace(b'"ID', b'"' + mine["id"].encode()).replace(
        b'"ACCOUNT', b'"' + mine["account"].encode()
    )
    check_problem(client.create(raw=raw), 400, codes)
    assert client.get(order_path(mine["id"])).status == 404
    assert client.stored(account=mine["account"]) == []


@pytest.mark.parametrize(
    "value",
    [
        b'"A\\u0000B"',
        b'"\\ud800"',
        b"9" * 10_000,
        b"1e400",
        b"[" * 500 + b"]" * 500,
        b'{"\\u0000": "\\udfff"}',
    ],
    ids=["escaped NUL", "lone surrogate", "long integer", "huge float", "500 brackets", "odd key"],
)
def test_odd_values_in_unknown_fields_are_ignored_or_refused(client: Client, value: bytes) -> None:
    body = json.dumps(new_order()).encode()
    answer = client.create(raw=b'{"x": ' + value + b", " + body[1:])
    assert answer.status in (201, 400)


@pytest.mark.parametrize("raw", [pytest.param(raw, id=name) for name, raw, _ in BODIES[:21]])
@pytest.mark.parametrize("where", ["order", "item"])
def test_move_with_such_a_body_changes_nothing(client: Client, where: str, raw: bytes) -> None:
    order = client.created()
    path = order_path(order["id"]) + ("" if where == "order" else "/items/BURGER-1")
    check_problem(client.call("PATCH", path, raw=raw), 400, EITHER)
    assert client.order(order["id"]) == order


MOVES: list[tuple[str, bytes]] = [
    ("status twice", b'{"status": 2, "status": 3}'),
    ("reason twice", b'{"status": 2, "reason": "a", "reason": "b"}'),
    ("status NaN", b'{"status": NaN}'),
    ("long status", b'{"status": ' + b"2" * 10_000 + b"}"),
    ("NUL in the reason", b'{"status": 2, "reason": "a\\u0000"}'),
    ("lone surrogate in the reason", b'{"status": 2, "reason": "\\ud800"}'),
    ("NUL in the status", b'{"status": "READY\\u0000"}'),
    ("invalid UTF-8 in the reason", b'{"status": 2, "reason": "\xff"}'),
    ("brackets", b'{"status": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
]


@pytest.mark.parametrize("raw", [pytest.param(raw, id=name) for name, raw in MOVES])
@pytest.mark.parametrize("call", ["order", "item", "recall"])
def test_odd_json_in_a_move_or_recall_changes_nothing(client: Client, call: str, raw: bytes) -> None:
    order = client.created()
    client.move(order["id"], "PREPARING")
    before = client.order(order["id"])
    path = order_path(order["id"])
    if call == "recall":
        raw = raw.replace(b'"status"', b'"plu"')
        answer = client.call("POST", f"{path}/recall", raw=raw)
    else:
        answer = client.call("PATCH", path if call == "order" else f"{path}/items/BURGER-1", raw=raw)
    check_problem(answer, 400, EITHER)
    assert client.order(order["id"]) == before
