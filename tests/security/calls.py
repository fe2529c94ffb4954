"""Calls an address as one of the callers, and names the answer in a word."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any

from django.db import connection, transaction
from django.test import Client

from orders.statuses import READY
from tests.security.addresses import Call
from tests.security.tenants import Tenants, new_order

# Written by being seen, logging in, waiting with a code, or giving tickets their slots: no work of anybody's.
ALONGSIDE = (
    'UPDATE "kitchen_display_screen" SET "last_seen_at"',
    'UPDATE "integrations_apikey" SET "last_used_at"',
    'INSERT INTO "kitchen_display_pairingrequest"',
    'DELETE FROM "kitchen_display_pairingrequest"',
    'INSERT INTO "kitchen_display_ticketnumber"',
    'INSERT INTO "orders_kitchenpace"',
    # An export is no work either, and stands in the audit.
    'INSERT INTO "django_admin_log"',
)
# A statement that writes, also behind a WITH; reading FOR UPDATE is none.
WRITES = re.compile(
    r"\s*(WITH\b.*\b)?(INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\S+(\s+\w+)?\s+SET)\b", re.IGNORECASE | re.DOTALL
)
ALONGSIDE_TABLES = ('"django_session"', '"axes_', '"auth_user" SET "last_login"')


class Answer:
    """An answer with its whole body, and whether anything was written for it."""

    def __init__(self, response: Any, body: bytes, wrote: list[str]) -> None:
        self.response, self.body, self.wrote = response, body, wrote
        self.status: int = response.status_code

    def word(self, call: Call) -> str:
        word = str(self.status)
        location = self.response.headers.get("Location", "")
        if location.startswith("/admin/login/"):
            word = "login"
        elif location == "/admin/" and "<id>" in call.path:
            word = "gone"
        return f"{word}!" if self.wrote else word

    @property
    def is_page(self) -> bool:
        return str(self.response.headers.get("Content-Type", "")).startswith("text/html")


def send(client: Client, tenants: Tenants, call: Call, query: str | None = None) -> Answer:
    """Sends the call and rolls back what it changed."""
    target = tenants.address(call.path) + (QUERIES.get(call.path, "") if query is None else query)
    cookies = SimpleCookie(client.cookies)
    with transaction.atomic():
        wrote: list[str] = []
        with connection.execute_wrapper(_noting(wrote)):
            response: Any = client.generic(call.method, target, *_body(call, tenants))
            streaming = getattr(response, "streaming", False)
            body = b"".join(response.streaming_content) if streaming else response.content
        answer = Answer(response, body, wrote)
        transaction.set_rollback(True)
    client.cookies = cookies  # also of who has logged out
    return answer


def _noting(wrote: list[str]) -> Callable[..., Any]:
    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if WRITES.match(sql) and not _is_alongside(sql) and context["cursor"].rowcount:
            wrote.append(sql)
        return done

    return note


def _is_alongside(sql: str) -> bool:
    return sql.startswith(ALONGSIDE) or any(table in sql for table in ALONGSIDE_TABLES)


def _body(call: Call, tenants: Tenants) -> tuple[str, str]:
    """What whoever may do it would send, and its type."""
    if call.method == "GET":
        return "", ""
    if call.path.startswith("/api"):
        return _json(BODIES.get((call.method, call.path), lambda tenants: {})(tenants)), "application/json"
    return _form(call, tenants), "application/x-www-form-urlencoded"


def _json(data: Any) -> str:
    import orjson

    return orjson.dumps(data).decode()


def _form(call: Call, tenants: Tenants) -> str:
    from urllib.parse import urlencode

    fields: dict[str, Any] = {"post": "yes"} if call.path.endswith("/delete/") else {}
    if call.action:
        _, _, app, model, _ = call.path.split("/")
        row = tenants.objects.get(f"{app}/{model}", "")
        fields = {
            "action": call.action,
            "_selected_action": row,
            "post": "yes",
            "confirmed": "1",
            "reason": "x",
        }
    fields |= FORMS.get(call.path, lambda tenants: {})(tenants)
    return urlencode(fields)


def _touch(tenants: Tenants) -> dict[str, Any]:
    return {"order": tenants.order.pk, "version": tenants.order.version}


# What says more than the bare address.
QUERIES = {
    "/admin/autocomplete/": "?app_label=kitchen_display&model_name=screen&field_name=station&term=",
    "/admin/search/": "?s=kitchen&extended=1",
}
BODIES: dict[tuple[str, str], Callable[[Tenants], Any]] = {
    ("POST", "/api/webhooks"): lambda tenants: {
        "name": "Spy",
        "url": "https://hooks.example.com/spy",
        "events": ["order.created"],
    },
    ("PATCH", "/api/webhooks/<id>"): lambda tenants: {"name": "Renamed"},
    ("POST", "/api/webhooks/<id>/replay"): lambda tenants: {"since": "2026-01-01T00:00:00Z"},
    ("POST", "/api/orders"): lambda tenants: new_order(),
    ("PATCH", "/api/orders/<id>"): lambda tenants: {"status": READY},
    ("PATCH", "/api/orders/<id>/items/<plu>"): lambda tenants: {"status": READY},
}
FORMS: dict[str, Callable[[Tenants], dict[str, Any]]] = {
    "/admin/orders/order/<id>/act/": lambda tenants: {"do": "3", "version": tenants.order.version},
    "/admin/orders/order/<id>/customer/": lambda tenants: {"account": tenants.order.account},
    "/display/bump": _touch,
    "/display/recall": _touch,
    "/display/acknowledge": _touch,
    "/display/seen": lambda tenants: {"orders": tenants.order.pk},
    "/display/pace": lambda tenants: {"mode": "busy", "busy_minutes": 10},
    "/display/settings": lambda tenants: {"text_scale": 110, "columns": 0, "language": "fi"},
}


@contextmanager
def without_csrf(client: Client) -> Iterator[Client]:
    """The same browser, whose forms come without their token: as another site would send them."""
    accept = client.defaults.pop("HTTP_ACCEPT", None)  # programs are told in short
    client.handler.enforce_csrf_checks = True
    try:
        yield client
    finally:
        client.handler.enforce_csrf_checks = False
        if accept:
            client.defaults["HTTP_ACCEPT"] = accept
