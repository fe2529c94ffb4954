"""Stores answers to requests with an `Idempotency-Key`, in the same transaction as their work (ADR 8)."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from json import loads
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.jsonio import dumps
from core.problems import Problem, as_problem, unavailable
from integrations.key_cache import KeyGrant
from integrations.models import IdempotencyRecord
from orders.serializers import without_customers

LIFETIME: Final = timedelta(hours=72)
REPLAYED: Final = "Idempotent-Replayed"
REQUEST_ID: Final = "X-Request-Id"
# Longer routes are stored as digests: PostgreSQL refuses index entries over 2,704 bytes.
_MAX_ROUTE_LENGTH: Final = 400
# Headers of the answer itself; the others (request id, rate limits) are new with each request.
_STORED_HEADERS: Final = (
    "Content-Type",
    "Content-Language",
    "Content-Location",
    "Location",
    "ETag",
    "Last-Modified",
    "Link",
    "Allow",
    "Cache-Control",
    "WWW-Authenticate",
    "Deprecation",
)

# Plain SQL: it runs with each order that a careful client sends, and the ORM costs half a millisecond more.
_TABLE: Final = IdempotencyRecord._meta.db_table
_ROW: Final = "WHERE api_key_id = %s AND route = %s AND key = %s"
_SELECT: Final = f"SELECT fingerprint, status, headers, body, created_at FROM {_TABLE} {_ROW}"  # noqa: S608
_DELETE: Final = f"DELETE FROM {_TABLE} {_ROW}"  # noqa: S608
_INSERT: Final = (
    f"INSERT INTO {_TABLE} (api_key_id, route, key, fingerprint, status, headers, body, created_at) "  # noqa: S608
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)


class _StoredAnswer(NamedTuple):
    fingerprint: bytes
    status: int
    headers: str
    body: bytes
    created_at: datetime


class IdempotencyStore:
    """The store of `core.idempotency`: answers by API key, route and Idempotency-Key, for 72 hours.

    Stored: successes and refusals (4xx). Not stored: errors (5xx), "try again later" (429, Retry-After) and invalid
    JSON, which roll everything back. Costs three statements: a lock, a query for an earlier answer, an insert.
    """

    def run(
        self, view: APIView, request: Request, key: str, work: Callable[[], HttpResponseBase]
    ) -> HttpResponseBase:
        grant = request.auth
        if not isinstance(grant, KeyGrant):
            return work()
        http = request._request
        method, query = http.method or "", http.META.get("QUERY_STRING", "")
        route = route_of(method, http.path)
        fingerprint = fingerprint_of(method, http.path, query, http.META.get("HTTP_IF_MATCH", ""), http.body)
        with transaction.atomic(), connection.cursor() as cursor:
            # Held until commit, so that the next one to get it sees this answer.
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_lock_name(grant.id, route, key)])
            if not cursor.fetchone()[0]:
                raise _in_progress()
            cursor.execute(_SELECT, [grant.id, route, key])
            row = cursor.fetchone()
            if row is not None:
                stored = _StoredAnswer(*row)
                if stored.created_at > timezone.now() - LIFETIME:
                    return _replay(stored, fingerprint, grant)
                cursor.execute(_DELETE, [grant.id, route, key])
            response = _answer(view, work)
            if connection.needs_rollback:
                # The connection was lost while a refusal was rolled back, where Django hides the error.
                raise unavailable("database_unavailable", "The database can't be reached right now.")
            if response.status_code >= 500:
                transaction.set_rollback(True)
                return response
            headers = {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers}
            # To find the request in the logs; a replay has an id of its own.
            headers[REQUEST_ID] = getattr(http, "request_id", "")
            answer: list[Any] = [
                fingerprint,
                response.status_code,
                dumps(headers).decode(),
                response.content,
                timezone.now(),
            ]
            try:
                cursor.execute(_INSERT, [grant.id, route, key, *answer])
            except IntegrityError:
                # In spite of the lock there is an answer already: this work must be undone.
                raise _in_progress() from None
            return response


def route_of(method: str, path: str) -> str:
    """Method and path without a trailing slash."""
    route = f"{method} {path.rstrip('/')}"
    if len(route) <= _MAX_ROUTE_LENGTH and route.isprintable():
        return route
    return f"{method} sha256:{hashlib.sha256(route.encode('utf-8', 'surrogatepass')).hexdigest()}"


def fingerprint_of(method: str, path: str, query: str, if_match: str, body: bytes) -> bytes:
    """A digest, equal for equal requests: method, path, query and If-Match as sent, and the bytes of the body."""
    digest = hashlib.sha256(f"{method} {path}?{query}\n{if_match}\n".encode("utf-8", "surrogatepass"))
    digest.update(body)
    return digest.digest()


def _lock_name(key_id: int, route: str, key: str) -> int:
    """A number of 64 bits. Where two requests share one by chance, one of them is asked to try again."""
    digest = hashlib.blake2b(f"{key_id} {route} {key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _answer(view: APIView, work: Callable[[], HttpResponseBase]) -> HttpResponse:
    """Do the work and render its answer. A refusal (4xx) undoes the work and is an answer; other errors are raised."""
    try:
        with transaction.atomic():
            response = work()
    except Exception as error:
        problem = as_problem(error, view.request)
        if problem is None or problem.status_code >= 500 or _is_temporary(problem):
            raise
        response = view.handle_exception(error)
    if isinstance(response, Response) and not response.is_rendered:
        response.accepted_renderer = view.request.accepted_renderer
        response.accepted_media_type = view.request.accepted_media_type
        response.renderer_context = view.get_renderer_context()  # type: ignore[attr-defined]
        response.render()
    if not isinstance(response, HttpResponse):
        raise TypeError(
            f"{type(view).__name__} answers with {type(response).__name__}, which can't be stored"
        )
    return response


def _is_temporary(problem: Problem) -> bool:
    """Whether the same request may succeed later. Invalid JSON too: the connection may have broken in the middle of the
    body."""
    return problem.status_code == 429 or "Retry-After" in problem.headers or problem.code == "invalid_json"


def _replay(stored: _StoredAnswer, fingerprint: bytes, grant: KeyGrant) -> HttpResponse:
    if bytes(stored.fingerprint) != fingerprint:
        raise Problem(
            "idempotency_mismatch",
            "This Idempotency-Key was used for another request. Use a new key for each new request; "
            "repeat one with exactly the same path and body.",
            status=422,
        )
    body = bytes(stored.body)
    if not grant.sees_customers:
        # The key may have lost that scope meanwhile.
        body = without_customers(body)
    response = HttpResponse(body, status=stored.status, headers=loads(stored.headers))
    response.headers[REPLAYED] = "true"
    return response


def _in_progress() -> Problem:
    return Problem(
        "idempotency_in_progress",
        "The first request with this Idempotency-Key is still running. Send it again after Retry-After.",
        status=409,
        headers={"Retry-After": "1"},
    )
