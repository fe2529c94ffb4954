"""What a JSON schema can't say of our requests, for schemathesis: valid data is made valid across fields too.

Only values that the schema allows are changed; schemathesis then judges anew whether the request is right or wrong.
"""

import hashlib
import hmac
import os
import re
import uuid
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import schemathesis

FIRST_YEAR, LAST_YEAR = 2000, 2099
TIMES = ("from", "to", "updatedAfter", "pickupFrom", "pickupTo")
VERSION = re.compile(r'"[1-9][0-9]{0,8}"')
cursors: set[tuple[str, str]] = set()
items_of: dict[Any, str] = {}  # one PLU of each order that was seen


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    if case.query:
        in_the_query(case.operation.path, case.query)
    if case.headers:
        in_the_headers(case.headers)
    if case.operation.path.startswith("/api/channels/"):
        as_a_channel(case)
        return
    if isinstance(case.body, dict):
        case.body = in_the_body(case.body)
    plu = items_of.get((case.path_parameters or {}).get("id"))
    if plu is None:
        return
    # Items are known by their order.
    if isinstance(case.path_parameters.get("plu"), str):
        case.path_parameters["plu"] = plu
    if isinstance(case.body, dict) and case.path.endswith("/recall") and is_plu(case.body.get("plu")):
        case.body["plu"] = plu


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: Any, response: Any) -> None:
    if response.status_code not in (200, 201) or case.method not in ("GET", "POST"):
        return
    path, body = case.operation.path, response.json()
    if path == "/api/orders/events":
        cursors.update((path, event["cursor"]) for event in body["results"])
        cursors.add((path, body["next"]))
    elif path in ("/api/orders", "/api/orders/{id}"):
        for order in body.get("results", [body]):
            items_of[order["id"]] = order["items"][-1]["plu"]


def is_plu(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 128 and value.isprintable()


def as_a_channel(case: Any) -> None:
    """Links and places are those that are there, ids are new, and the body is signed: no schema can say that."""
    case._auth = sign
    if re.fullmatch("[a-z0-9-]{1,50}", str((case.path_parameters or {}).get("link"))):
        case.path_parameters["link"] = "fuzz-shop"
    body = case.body
    if isinstance(body, dict) and not case.operation.path.endswith("/deliverect/orders"):
        # A mapping decides what such a body looks like; this is one of tests/fuzz/mapping.json.
        case.body = {
            "order": {"id": uuid.uuid4().hex},
            "store": {"code": "fuzz-place"},
            "lines": [{"sku": "A", "title": "Soup", "qty": 1}],
        }
    elif isinstance(body, dict):
        body = {**body, "channelLink": "fuzz-link", "location": "fuzz-place"}
        if isinstance(body.get("_id"), str) and 0 < len(body["_id"]) < 200:
            body["_id"] += uuid.uuid4().hex
        case.body = body


def sign(request: Any) -> Any:
    """As requests' `auth`, with the bytes that go out. What the check of authentication has put in the signature's place,
    or taken away, stays so."""
    for header in ("x-server-authorization-hmac-sha256", "x-huuva-signature"):
        if request.headers.get(header) == os.environ["HUUVA_FUZZ_SECRET"]:
            raw = request.body.encode() if isinstance(request.body, str) else request.body or b""
            secret = os.environ["HUUVA_FUZZ_SECRET"].encode()
            request.headers[header] = hmac.new(secret, raw, hashlib.sha256).hexdigest()
    return request


def in_the_query(path: str, query: MutableMapping[str, Any]) -> None:
    """Cursors are opaque: only those that the API gave for this list are right. A parameter without a value is the
    same as none, as forms send it. A range ends after it begins."""
    for name, value in list(query.items()):
        if value == "" or (
            name in ("cursor", "after") and isinstance(value, str) and (path, value) not in cursors
        ):
            del query[name]
        elif name in TIMES:
            query[name] = in_our_century(value)
    if (
        moment(query.get("from"))
        and moment(query.get("to"))
        and not moment(query["from"]) < moment(query["to"])
    ):
        del query["to"]


def in_the_headers(headers: MutableMapping[str, Any]) -> None:
    """Keys of idempotency are used once, and versions are those of new orders: else most calls would end as 422 or
    412. Any If-None-Match is right; what can't match doesn't (RFC 9110 §13.1.2)."""
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) <= 200 and key.isascii() and key.isprintable():
        headers["Idempotency-Key"] = f"{key}-{uuid.uuid4().hex}"
    if VERSION.fullmatch(str(headers.get("If-Match"))):
        headers["If-Match"] = '"1"'
    if "If-None-Match" in headers and not VERSION.fullmatch(str(headers["If-None-Match"])):
        del headers["If-None-Match"]


def in_the_body(body: dict[str, Any]) -> dict[str, Any]:
    """Kitchens are known by name, two ids are equal, and a PLU stands once in an order."""
    body = plain(body)
    if isinstance(body.get("id"), str) and isinstance(body.get("_id"), str):
        body["_id"] = body["id"]
    if str(body.get("url")).startswith("https://") and len(body["url"]) <= 2000:
        # A name that never leads anywhere (RFC 2606).
        body["url"] = "https://hooks.invalid/huuva"
    if moment(body.get("since")):
        body["since"] = datetime.now(UTC).isoformat()
    if isinstance(body.get("kitchen"), str) and 0 < len(body["kitchen"]) <= 50:
        body["kitchen"] = "main"
    if isinstance(body.get("items"), list):
        body["items"] = unique_plus([plain(item) for item in body["items"]])
    if isinstance(body.get("statusHistory"), list):
        body["statusHistory"] = [plain(entry) for entry in body["statusHistory"]]
    return body


def plain(value: Any) -> Any:
    """Times of our century."""
    if not isinstance(value, dict):
        return value
    fields = {name: PLAIN[name](field) if name in PLAIN else field for name, field in value.items()}
    if isinstance(fields.get("modifiers"), list):
        fields["modifiers"] = [plain(modifier) for modifier in fields["modifiers"]]
    return fields


def unique_plus(items: list[Any]) -> list[Any]:
    seen: set[str] = set()
    items_ = []
    for number, item in enumerate(items):
        if isinstance(item, dict) and isinstance(item.get("plu"), str):
            if item["plu"] in seen:
                item = {**item, "plu": f"{item['plu'][:120]}~{number}"}
            seen.add(item["plu"])
        items_.append(item)
    return items_


def moment(value: Any) -> datetime | None:
    """A time with its zone, or None."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else None


def in_our_century(value: Any) -> Any:
    """Times lie between 2000 and 2100: a right time of another year is moved to ours."""
    time = moment(value)
    if time is None or FIRST_YEAR < time.year < LAST_YEAR:
        return value
    return f"2026-03-{value[8:]}"


PLAIN = {
    "created": in_our_century,
    "pickupTime": in_our_century,
    "timestamp": in_our_century,
}
