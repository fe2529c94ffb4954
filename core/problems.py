"""Every error of the program, as a problem document of RFC 9457 (`application/problem+json`)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypedDict

import orjson
import structlog
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.paginator import InvalidPage
from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.exceptions import APIException
from rest_framework.request import Request

log = structlog.get_logger(__name__)
CONTENT_TYPE = "application/problem+json"
TYPE_BASE = "/api/problems#"
# Seconds after which a client may try again while the database is away or busy.
RETRY_AFTER = 2


class FieldError(TypedDict):
    """One wrong field: a JSON pointer into the body, `?name` for a query parameter, or a header's name."""

    pointer: str
    code: str
    detail: str


class Problem(APIException):
    """An error that a client can act on. `code` is stable, `detail` says what to change, `extra` adds members."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int,
        title: str | None = None,
        errors: Sequence[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail, code)
        self.code = code
        self.text = detail
        self.status_code = status
        self.title = title
        self.errors = list(errors or ())
        self.headers = dict(headers or {})
        self.extra = extra


class FilesNotTaken(BadRequest):
    """A form holds a file. A `BadRequest`, because the CSRF check reads forms before any view, where only Django's own
    errors become an answer."""


def problem_response(request: HttpRequest | Request, problem: Problem) -> HttpResponse:
    """The answer: `type, title, status, detail, instance, code, requestId, errors` and the problem's own members."""
    body = {
        "type": f"{TYPE_BASE}{problem.code}",
        "title": problem.title or HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": problem.text,
        "instance": clean(request.path),
        "code": problem.code,
        "requestId": getattr(request, "request_id", ""),
        "errors": problem.errors,
        **problem.extra,
    }
    response = HttpResponse(orjson.dumps(body), status=problem.status_code, content_type=CONTENT_TYPE)
    for name, value in problem.headers.items():
        response[name] = value
    response["Cache-Control"] = "no-store"
    # It was logged with the request's id where it matters; Django would add a line without the id.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def clean(path: str) -> str:
    """A path for JSON: Django decodes percent-encoded bytes, which may give lone surrogates."""
    return path.encode("utf-8", "replace").decode()


_CODES = {
    400: "bad_request",
    401: "missing_key",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


def as_problem(error: Exception, request: HttpRequest | Request) -> Problem | None:
    """The problem to answer with; None for an unexpected error of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Http404 | exceptions.NotFound):
        text = str(error) if error.args and isinstance(error.args[0], str) else ""
        return Problem("not_found", text or "There is nothing under this address.", status=404)
    if isinstance(error, exceptions.MethodNotAllowed):
        return Problem("method_not_allowed", f"{request.method} is not possible here; see Allow.", status=405)
    if isinstance(error, exceptions.UnsupportedMediaType):
        return Problem(
            "unsupported_media_type",
            "Send the body as JSON, with Content-Type: application/json.",
            status=415,
        )
    if isinstance(error, APIException):
        return Problem(_CODES.get(error.status_code, "error"), str(error.detail), status=error.status_code)
    if isinstance(error, FilesNotTaken):
        detail = "No file can be sent here; send the form without one."
        return Problem("unsupported_media_type", detail, status=415)
    if isinstance(error, PermissionDenied):
        return Problem("forbidden", str(error) or "This is not allowed.", status=403)
    if isinstance(error, RequestDataTooBig):
        return Problem("body_too_large", "The form is too large; send less.", status=413)
    if isinstance(error, InvalidPage):  # of lists that aren't ours
        return Problem("bad_request", "There is no such page of this list.", status=400)
    if isinstance(error, BadRequest | MultiPartParserError | SuspiciousOperation):
        return Problem("bad_request", "The request is malformed.", status=400)
    if isinstance(error, DatabaseError | InterfaceError):
        return _database_problem(error)
    return None


# States by https://www.postgresql.org/docs/current/errcodes-appendix.html
# Lock timeout, statement timeout, deadlock, serialization failure.
_BUSY = {"55P03", "57014", "40P01", "40001"}
_GONE = "23503"  # the target of a foreign key was deleted, perhaps seen only at commit
# After a failover the old primary takes no writes; after a migration a prepared plan no longer fits: reconnect.
_RECONNECT = {"25006", "0A000"}
# Errors without a code of their own: an exhausted disk quota (a full disk has one), a file that is too large.
_INTERNAL = "XX000"


def is_busy(error: Exception) -> bool:
    """Whether a lock or the database was busy for too long; nothing was done."""
    return isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", None) in _BUSY


def _database_problem(error: Exception) -> Problem | None:
    """503 if the database is away, busy or read-only; None if the statement itself is wrong."""
    state = getattr(error.__cause__, "sqlstate", None)
    if is_busy(error):
        return unavailable("busy", "Somebody else has held this order, or the database, for too long.")
    if state == _GONE:
        return Problem(
            "conflict", "Something that this refers to was deleted a moment ago; read it again.", status=409
        )
    if state == _INTERNAL:
        return unavailable(
            "database_unavailable", "The database has trouble of its own, perhaps with its disk."
        )
    connection = connections["default"].connection
    lost = connection is None or connection.closed
    if lost or state in _RECONNECT or isinstance(error, OperationalError | InterfaceError):
        return unavailable("database_unavailable", "The database can't be reached right now.")
    return None


def unavailable(code: str, detail: str) -> Problem:
    return Problem(
        code,
        f"{detail} Send it again after Retry-After; with the same id or Idempotency-Key it is never done twice.",
        status=503,
        headers={"Retry-After": str(RETRY_AFTER)},
    )


def drop_connection() -> None:
    """Use a new connection next time: the old one may be dead, or lead to a former primary."""
    connection = connections["default"]
    if not connection.in_atomic_block:
        connection.close()


def internal_error() -> Problem:
    return Problem(
        "internal_error",
        "Something broke on our side; nothing was stored. Tell us the requestId.",
        status=500,
    )


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's exception handler. None passes the error on to `GateMiddleware`, which logs it."""
    request: Request = context["request"]
    problem = as_problem(error, request)
    if problem is None:
        return None
    if isinstance(error, APIException):
        problem.headers |= _headers_of(error, request, context)
    if problem.status_code == 503:
        log.warning("unavailable", code=problem.code, error=type(error).__name__)
        drop_connection()
    response = problem_response(request._request, problem)
    response.exception = True  # type: ignore[attr-defined]
    return response


def _headers_of(error: APIException, request: Request, context: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = getattr(error, "auth_header", "Bearer")
    if isinstance(error, exceptions.UnsupportedMediaType):
        headers["Accept"] = "application/json"
    return headers
