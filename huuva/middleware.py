"""The gate: the first thing that a request meets and the last that an answer leaves."""

import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from huuva.problems import Problem, as_problem, internal_error, problem_response

log = structlog.get_logger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


class GateMiddleware:
    """Gives each request its id, refuses bodies that are too large, and turns any error into a clear answer.

    The id is the client's `X-Request-Id` where it is plain text of up to 128 characters, else a new one;
    it is returned, and stands in every log line of the request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = (
                self._refuse_unknown_host(request)
                or self._refuse_large(request)
                or self.get_response(request)
            )
            response["X-Request-Id"] = request_id
            if isinstance(response, HttpResponse) and "Content-Length" not in response:
                response["Content-Length"] = str(len(response.content))
        finally:
            structlog.contextvars.clear_contextvars()
        return response

    @staticmethod
    def _refuse_unknown_host(request: HttpRequest) -> HttpResponse | None:
        """400 for a host name that is not ours, on every address: found late, it breaks only the pages that hold links.

        Probes ask by IP address and get no links.
        """
        if request.path_info.startswith(("/livez", "/readyz", "/metrics")):
            return None
        try:
            request.get_host()
        except DisallowedHost:
            detail = "This server is not known under this host name; its operator can add it to HUUVA_ALLOWED_HOSTS."
            return problem_response(request, Problem("unknown_host", detail, status=400))
        return None

    @staticmethod
    def _refuse_large(request: HttpRequest) -> HttpResponse | None:
        """413 for a body over the limit, also for one that does not say its length (chunked).

        The admin's forms are left to Django's own limits.
        """
        if request.method in ("GET", "HEAD", "OPTIONS") or not request.path_info.startswith("/api"):
            return None
        limit = settings.HUUVA_MAX_BODY_BYTES
        length = request.META.get("CONTENT_LENGTH") or ""
        if length.isdigit():
            if int(length) <= limit:
                return None
        else:
            # No length: the server hands the decoded stream. One byte more than allowed is enough to know.
            body = request.META["wsgi.input"].read(limit + 1)
            if len(body) <= limit:
                request._body = body
                request._read_started = True  # type: ignore[attr-defined]
                # DRF takes a request without a length for one without a body.
                request.META["CONTENT_LENGTH"] = str(len(body))
                return None
        detail = f"The body is larger than {limit} bytes; send at most that much."
        return problem_response(request, Problem("body_too_large", detail, status=413))

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Errors of views outside DRF, and faults that nobody foresaw: logged with the id, told without details."""
        problem = as_problem(error, request)
        if problem is None:
            log.exception("unforeseen_error", path=request.path_info, method=request.method)
            if settings.DEBUG:
                return None
            problem = internal_error()
        elif problem.status_code == 503:
            close_old_connections()
        elif problem.status_code == 404:
            return None
        return answer(request, problem)


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A problem document for programs, a friendly page for people in the admin and on screens."""
    if request.path_info.startswith("/api") or "text/html" not in request.headers.get("Accept", ""):
        return problem_response(request, problem)
    response = render(request, "error.html", {"problem": problem}, status=problem.status_code)
    for name, value in problem.headers.items():
        response[name] = value
    return response
