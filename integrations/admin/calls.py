"""Calls of API keys about an order, for its page: from its history, and from the answers stored for calls with an
Idempotency-Key, which have the request's id and refusals. Nothing extra is written for it. One statement, whatever the
order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

import orjson
from django.db.models import F

from integrations.idempotency import REQUEST_ID, route_of
from integrations.models import IdempotencyRecord
from orders.api.problems import order_url
from orders.models import Order, StatusChange
from orders.statuses import Kind

ORDERS: Final = "/api/orders"
BY_KEY: Final = "key:"
# The answer to a creation is stored in its transaction, a moment after the order's first row.
CREATED_WITHIN: Final = timedelta(seconds=10)
REFUSED: Final = 400
# Of each kind; the logs have the rest.
MAX_CALLS: Final = 100


@dataclass(slots=True)
class Call:
    """`change`: its change in the history; None where it made none: it was refused, amended the order or asked for the
    present status. `version`: the order's after it. `status` is 0 and `request_id` empty where the client sent no
    Idempotency-Key: then only the history knows of it."""

    at: datetime
    key: str
    change: int | None
    plu: str | None = None
    to_status: int = 0
    is_recall: bool = False
    status: int = 0
    code: str = ""
    version: str = ""
    request_id: str = ""


def calls_of(order: Order, history: Sequence[StatusChange]) -> list[Call]:
    """Oldest first. `history` is the order's whole history by sequence."""
    changes = {call.change: call for call in _changes(history)}
    if not changes:
        return []
    calls = list(changes.values())
    for record in _records(order, history, {call.key for call in calls}):
        headers: dict[str, str] = record.headers
        version = headers.get("ETag", "").strip('"')
        call = changes.get(int(version)) if version.isdigit() else None
        # A call for the present status succeeds, too: it changes nothing, and its version is another call's.
        if call is None or call.key != record.name or call.status or record.status >= REFUSED:
            call = Call(record.created_at, record.name, None)
            calls.append(call)
        call.status, call.version = record.status, version
        call.request_id = headers.get(REQUEST_ID, "")
        if record.status >= REFUSED:
            call.code = _code(bytes(record.body))
    return sorted(calls, key=lambda call: call.at)


def _changes(history: Sequence[StatusChange]) -> Iterator[Call]:
    """One for each change by a key, from its first row."""
    by_key = [row for row in history if row.actor.startswith(BY_KEY) and row.kind != Kind.IMPORT]
    for number, (change, rows) in enumerate(groupby(by_key, key=lambda row: row.change)):
        if number >= MAX_CALLS:
            return
        row = next(iter(rows))
        yield Call(
            row.recorded_at,
            row.actor.removeprefix(BY_KEY),
            change,
            plu=row.plu,
            to_status=row.to_status,
            is_recall=row.kind == Kind.RECALL,
        )


def _records(order: Order, history: Sequence[StatusChange], names: set[str]) -> Iterable[Any]:
    """Answers to calls of the keys that have changed this order: about it, and to its creation, which is stored just
    after its first row."""
    answers = IdempotencyRecord.objects.filter(api_key__name__in=sorted(names))
    stored = history[0].recorded_at
    created = answers.filter(
        route=route_of("POST", ORDERS),
        created_at__range=(stored, stored + CREATED_WITHIN),
        headers__Location=order_url(order.id),
    )
    path = f"{ORDERS}/{order.id}"
    routes = {route_of("PATCH", path), route_of("POST", f"{path}/recall")}
    routes |= {route_of("PATCH", f"{path}/items/{row.plu}") for row in history if row.plu is not None}
    about = answers.filter(route__in=sorted(routes)).order_by("created_at")[:MAX_CALLS]
    fields = ("created_at", "status", "headers", "body", "name")
    named = (
        part.annotate(name=F("api_key__name")).values_list(*fields, named=True) for part in (created, about)
    )
    return next(named).union(next(named), all=True)


def _code(body: bytes) -> str:
    try:
        problem: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return str(problem.get("code", "")) if isinstance(problem, dict) else ""
