"""A small HTTP client for the black-box tests: nothing is normalised, followed or retried."""

import contextlib
import http.client
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import quote, urlsplit

from tests import planted

PROBLEM_MEMBERS = {"type", "title", "status", "detail", "instance", "code", "requestId", "errors"}
JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """What came back; header names are case-insensitive."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        """The body as JSON; duplicate keys, NaN and the like are refused."""
        return json.loads(self.body, object_pairs_hook=_unique, parse_constant=_no_constant)

    @property
    def media_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip()

    @property
    def pointers(self) -> set[str]:
        return {error["pointer"] for error in self.json().get("errors", [])}


class Client:
    """Calls paths below `/api` with one key; each answer is held against the rules for all answers."""

    def __init__(self, base_url: str, key: str | None) -> None:
        parts = urlsplit(base_url)
        assert parts.hostname and parts.port
        self.host, self.port, self.key = parts.hostname, parts.port, key
        self.origin = f"http://{parts.hostname}:{parts.port}"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str | bytes] | None = None,
    ) -> Answer:
        """`body` goes out as JSON, `raw` as it is (an iterable in chunks). A header set to "" is left out."""
        sent: dict[str, str | bytes] = {"Accept": JSON}
        if self.key is not None:
            sent["Authorization"] = f"Bearer {self.key}"
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = JSON
        sent.update(headers or {})
        target = path if path.startswith("/api") or not path.startswith("/") else f"/api{path}"
        target = target.removeprefix(self.origin)
        answer = self._send(
            method, target, data, {name: value for name, value in sent.items() if value != ""}
        )
        check_answer(answer, f"{method} {target[:200]}")
        return answer

    def _send(self, method: str, target: str, data: Any, headers: dict[str, str | bytes]) -> Answer:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            chunked = data is not None and not isinstance(data, bytes)
            # The server may answer 413 before it has read everything: the answer is there to read.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, target, data, headers, encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def create(self, body: Any = None, **more: Any) -> Answer:
        return self.call("POST", "/orders", new_order() if body is None else body, **more)

    def created(self, **fields: Any) -> dict[str, Any]:
        """A new order that must be accepted, as the API shows it."""
        answer = self.create(new_order(**fields))
        assert answer.status == 201, answer.body
        return dict(answer.json())

    def order(self, order_id: str) -> dict[str, Any]:
        answer = self.get(order_path(order_id))
        assert answer.status == 200, answer.body
        return dict(answer.json())

    def move(self, order_id: str, status: int | str, **more: Any) -> Answer:
        return self.call("PATCH", order_path(order_id), {"status": status}, **more)

    def move_item(self, order_id: str, plu: str, status: int | str, **more: Any) -> Answer:
        return self.call("PATCH", item_path(order_id, plu), {"status": status}, **more)

    def recall(self, order_id: str, body: Any = None, **more: Any) -> Answer:
        return self.call("POST", f"{order_path(order_id)}/recall", {} if body is None else body, **more)

    def stored(self, **filters: str) -> list[dict[str, Any]]:
        """The orders (at most 200) that the list shows under these filters."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in filters.items())
        answer = self.get(f"/orders?limit=200&{query}")
        assert answer.status == 200, answer.body
        return list(answer.json()["results"])


def check_answer(answer: Answer, what: str) -> None:
    """What holds for each answer of the API: no 5xx, no HTML, a request id, problems in RFC 9457's form."""
    assert answer.status < 500, f"{what}: {answer.status} {answer.body[:500]!r}"
    request_id = answer.headers.get("X-Request-Id")
    assert request_id, f"{what}: {answer.status} without X-Request-Id"
    if answer.status >= 400:
        assert answer.media_type == "application/problem+json", (
            f"{what}: {answer.status} {answer.body[:300]!r}"
        )
        problem = answer.json()
        assert problem["status"] == answer.status, what
        if answer.headers.get("Idempotent-Replayed") != "true":  # a replay is the first answer, word for word
            assert problem["requestId"] == request_id, what
        missing = PROBLEM_MEMBERS - {"errors"} - problem.keys()
        assert not missing, f"{what}: the problem lacks {missing}: {problem}"
        assert all(isinstance(problem[name], str) and problem[name] for name in ("type", "title", "code")), (
            problem
        )
        for error in problem.get("errors", []):
            assert {"pointer", "code", "detail"} <= error.keys(), f"{what}: {error}"
        assert b"Traceback" not in answer.body and b"site-packages" not in answer.body, what


def check_problem(answer: Answer, status: int, codes: str, pointers: Iterable[str] = ()) -> dict[str, Any]:
    """The problem of an answer: `codes` is one code, or several with spaces where one is as good as the other.

    A pointer counts as named if one below it is.
    """
    assert answer.status == status, f"{answer.status} instead of {status}: {answer.body[:500]!r}"
    problem = answer.json()
    assert problem["code"] in codes.split(), problem
    named = answer.pointers
    missing = [
        one for one in pointers if one not in named and not any(two.startswith(f"{one}/") for two in named)
    ]
    assert not missing, f"{missing} not named: {problem}"
    return dict(problem)


def unique(prefix: str = "t") -> str:
    return f"{prefix}-{uuid.uuid4().hex}"


def order_path(order_id: str) -> str:
    return f"/orders/{quote(order_id, safe='')}"


def item_path(order_id: str, plu: str) -> str:
    return f"{order_path(order_id)}/items/{quote(plu, safe='')}"


_ORDER: dict[str, Any] = {
    "brandId": "brand-1",
    "channelOrderId": "WOLT-1",
    "customer": {"name": planted.NAME, "phoneNumber": planted.PHONE},
    "deliveryAddress": {"street": planted.STREET, "city": "Helsinki", "postalCode": "00100"},
    "pickupTime": "2026-07-22T20:28:02Z",
    "items": [
        {"plu": "BURGER-1", "name": "Hawaii Burger", "quantity": 1},
        {"plu": "SUSHI-1", "name": "Sushi Set Large", "quantity": 2},
    ],
}


def new_order(**fields: Any) -> dict[str, Any]:
    """A body for POST /orders that is right as it is, with an id and an account of its own."""
    return {"id": unique("order"), "account": unique("account"), **deepcopy(_ORDER), **fields}


def new_items(*plus: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"plu": plu, "name": f"Product {plu}", "quantity": 1, **fields} for plu in plus]


def pages(client: Client, path: str, *, link: str = "next") -> Iterator[list[dict[str, Any]]]:
    """The pages of a list, followed by its own links."""
    url: str | None = path
    while url:
        answer = client.get(url)
        assert answer.status == 200, answer.body
        page = answer.json()
        yield page["results"]
        url = page[link]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    assert len(members) == len(pairs), f"duplicate keys in an answer: {[name for name, _ in pairs]}"
    return members


def _no_constant(name: str) -> Any:
    raise AssertionError(f"{name} in an answer is not JSON")
