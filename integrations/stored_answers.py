"""Removes customers' data from answers that are stored for an `Idempotency-Key`.

The rows stay, so that a repeated call is still not done twice; it gets the answer without the customer.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import batched, chain
from typing import Any, Final

import orjson
from django.db import connection
from django.db.models import Min
from django.utils import timezone

from integrations.idempotency import LIFETIME, route_of
from integrations.models import ApiKey, IdempotencyRecord
from orders.api.problems import order_url
from orders.models import Order, OrderItem, StatusChange
from orders.models.orders import FREE_TEXT
from orders.privacy import ANONYMOUS
from orders.traces import Traces

ORDERS: Final = "/api/orders"
REFUSED: Final = 400
BATCH: Final = 1000
# Fields of a problem that repeat nothing of the request.
PROBLEM_FIELDS: Final = ("type", "title", "status", "instance", "code", "requestId")
REMOVED: Final = "The details were removed with the customer's data."

type Key = tuple[int, str, str]


def forget_customers(sender: type[Order], order_ids: list[str], account: str | None = None, **_: Any) -> None:
    """Receiver of `orders.signals.customer_data_removed`. The orders' rows are locked, so no answer about them is being
    written."""
    if not IdempotencyRecord.objects.exists():
        return
    answers = chain(_about(order_ids), _creations(order_ids))
    _rewrite(answers, lambda status, body: _without_customer(status, body, account))


def forget_refused(sender: type[Order], traces: Traces, **_: Any) -> None:
    """Receiver of `orders.signals.customer_erased`: refusals belong to no order. Rows whose Idempotency-Key names the
    customer are deleted."""
    last: tuple[Any, ...] = ()
    rows = IdempotencyRecord.objects.order_by("pk")
    while batch := list(
        (rows.filter(pk__gt=last) if last else rows).values_list("api_key_id", "route", "key", "status")[
            :BATCH
        ]
    ):
        last = batch[-1][:3]
        named = [row[:3] for row in batch if traces.in_text(f"{row[1]} {row[2]}")]
        IdempotencyRecord.objects.filter(pk__in=named).delete()
        refused = IdempotencyRecord.objects.filter(pk__in=[row[:3] for row in batch if row[3] >= REFUSED])
        _rewrite(
            (
                (key, status, body)
                for key, status, body in _rows(refused)
                if traces.in_payload(body.decode("utf-8", "replace"))
            ),
            lambda status, body: _without_customer(status, body, None),
        )


def _about(order_ids: Iterable[str]) -> Iterator[tuple[Key, int, bytes]]:
    """Answers to calls about these orders and their items, by primary key."""
    plus = OrderItem.objects.filter(order_id__in=order_ids).values_list("order_id", "plu")
    routes = {route_of("PATCH", f"{ORDERS}/{order_id}/items/{plu}") for order_id, plu in plus}
    for order_id in order_ids:
        path = f"{ORDERS}/{order_id}"
        routes |= {route_of("PATCH", path), route_of("POST", f"{path}/recall")}
    keys = list(ApiKey.objects.values_list("pk", flat=True))
    for batch in batched(sorted(routes), BATCH):
        yield from _rows(IdempotencyRecord.objects.filter(api_key__in=keys, route__in=batch))


def _creations(order_ids: Iterable[str]) -> Iterator[tuple[Key, int, bytes]]:
    """Answers to the creation of these orders. An imported order has a date of its own, so the history says when it was
    stored."""
    creations = StatusChange.objects.filter(order_id__in=order_ids, sequence=1)
    first = creations.filter(recorded_at__gte=timezone.now() - LIFETIME).aggregate(at=Min("recorded_at"))[
        "at"
    ]
    if first is None:
        return
    records = IdempotencyRecord.objects.filter(
        route=route_of("POST", ORDERS),
        created_at__gte=first,
        headers__Location__in=[order_url(order_id) for order_id in order_ids],
    )
    yield from _rows(records)


def _rows(records: Any) -> Iterator[tuple[Key, int, bytes]]:
    for key_id, route, key, status, body in records.values_list(
        "api_key_id", "route", "key", "status", "body"
    ):
        yield (key_id, route, key), status, bytes(body)


def _rewrite(rows: Iterable[tuple[Key, int, bytes]], change: Callable[[int, bytes], bytes]) -> None:
    changed = [(key, new) for key, status, body in rows if (new := change(status, body)) != body]
    if not changed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {IdempotencyRecord._meta.db_table} r SET body = new.body
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bytea[]) AS new (api_key_id, route, key, body)
            WHERE r.api_key_id = new.api_key_id AND r.route = new.route AND r.key = new.key
            """,  # noqa: S608  (a name of ours)
            [
                [key[0] for key, _ in changed],
                [key[1] for key, _ in changed],
                [key[2] for key, _ in changed],
                [body for _, body in changed],
            ],
        )


def _without_customer(status: int, body: bytes, account: str | None) -> bytes:
    """An answer of the order API (an order, an item or a problem) without what orders.privacy removes."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return b"{}"
    if not isinstance(document, dict):
        return b"{}"
    if status >= REFUSED:
        problem = {name: document[name] for name in PROBLEM_FIELDS if name in document}
        return orjson.dumps({**problem, "detail": REMOVED, "errors": []})
    if "customer" in document:
        document |= {
            "customer": {"name": ANONYMOUS, "phoneNumber": ""},
            "deliveryAddress": None,
        }
        if account is not None:
            document["account"] = account
    for part in (document, *document.get("items", ())):
        part.update(dict.fromkeys(FREE_TEXT, ""))
        for entry in part.get("statusHistory", ()):
            entry["reason"] = ""
    return orjson.dumps(document)
