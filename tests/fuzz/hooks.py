"""What a JSON schema can't say of our requests, said to schemathesis: valid data is made valid across fields too.

Each hook changes only values that the schema allows, so that data which is wrong on purpose stays wrong.
"""

import re
import uuid
from datetime import datetime
from typing import Any

import schemathesis

FIRST_YEAR, LAST_YEAR = 2000, 2099
VERSION = re.compile(r'"[1-9][0-9]{0,8}"')
cursors: set[tuple[str, str]] = set()


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    body = {name: whole(value) if name == "status" else value for name, value in body.items()}
    both = body.get("id"), body.get("_id")
    if all(isinstance(one, str) for one in both):
        body["_id"] = body["id"]  # where both are sent they are equal
    if isinstance(body.get("kitchen"), str) and 0 < len(body["kitchen"]) <= 50:
        body["kitchen"] = "main"  # kitchens are known by name
    if isinstance(body.get("items"), list):
        body["items"] = unique_plus([plain_item(item) for item in body["items"]])
    for name in ("created", "pickupTime"):
        if name in body:
            body[name] = in_our_century(body[name])
    if isinstance(body.get("statusHistory"), list):
        body["statusHistory"] = [
            plain_past(entry) if isinstance(entry, dict) else entry for entry in body["statusHistory"]
        ]
    return body


@schemathesis.hook
def map_query(context: schemathesis.HookContext, query: dict[str, Any]) -> dict[str, Any]:
    """A time that the schema allows may be no day of the calendar."""
    query = dict(query or {})
    for name in ("from", "to", "updatedAfter", "pickupFrom", "pickupTo"):
        if name in query:
            query[name] = in_our_century(query[name])
    return query


@schemathesis.hook
def filter_query(context: schemathesis.HookContext, query: dict[str, Any]) -> bool:
    """A parameter without a value is the same as none, as forms send it; the schema doesn't say so of each."""
    return "" not in (query or {}).values()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """What depends on the calls before, in each phase; only values that the schema allows are changed.

    Cursors are opaque: only those that the API gave for this list are right. Keys of idempotency are used once, and
    versions are those of new orders: else most calls would end as 422 or 412.
    """
    query, headers = case.query or {}, case.headers or {}
    for name in ("cursor", "after"):
        value = query.get(name)
        if isinstance(value, str) and (case.operation.path, value) not in cursors:
            del query[name]
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) <= 200 and key.isascii() and key.isprintable():
        headers["Idempotency-Key"] = f"{key}-{uuid.uuid4().hex}"
    if VERSION.fullmatch(str(headers.get("If-Match"))):
        headers["If-Match"] = '"1"'


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: Any, response: Any) -> None:
    if (
        response.status_code == 200
        and case.operation.label == "GET /api/orders/events"
        and case.method == "GET"
    ):
        cursors.add(response.json()["next"])


def whole(value: Any) -> Any:
    """JSON schema takes 1.0 for an integer; we don't, because no program that counts writes it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def plain_item(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    plain = {
        name: whole(value) if name in ("status", "quantity", "price") else value
        for name, value in item.items()
    }
    if isinstance(plain.get("modifiers"), list):
        plain["modifiers"] = [plain_item(modifier) for modifier in plain["modifiers"]]
    return plain


def plain_past(entry: dict[str, Any]) -> dict[str, Any]:
    change = {"status": whole, "timestamp": in_our_century}
    return {name: change[name](value) if name in change else value for name, value in entry.items()}


def unique_plus(items: list[Any]) -> list[Any]:
    """Each PLU stands once in an order."""
    seen: set[str] = set()
    made = []
    for number, item in enumerate(items):
        if isinstance(item, dict) and isinstance(item.get("plu"), str):
            if item["plu"] in seen:
                item = {**item, "plu": f"{item['plu'][:120]}~{number}"}
            seen.add(item["plu"])
        made.append(item)
    return made


def in_our_century(value: Any) -> Any:
    """Times lie between 2000 and 2100: a right time of another year is moved to ours."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    if moment.tzinfo is None or FIRST_YEAR < moment.year < LAST_YEAR:
        return value
    return f"2026-03-{value[8:]}" if value[4:5] == "-" else value
