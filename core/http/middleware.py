"""The outermost middleware: request ids, refusals, error answers and the request log."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from core.api import is_api
from core.http.limits import body_limit
from core.logs import request_line, without_secrets
from core.problems import Problem, as_problem, clean, drop_connection, internal_error, problem_response
from core.request_metrics import observe

log = structlog.get_logger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
# W3C Trace Context: version, trace, span, flags. A trace of zeros is none.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


class GateMiddleware:
    """Gives each request its id, and turns any error into a clear answer.

    The id is the client's `X-Request-Id` if that is plain text of up to 128 characters, else a new one. It is returned,
    and every log line of the request has it. They also have the trace id of a `traceparent` header (W3C Trace Context),
    so that a caller's trace leads to our log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        client_id = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = client_id if _REQUEST_ID.fullmatch(client_id) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        start = time.perf_counter()
        trace = _TRACEPARENT.fullmatch(request.META.get("HTTP_TRACEPARENT", ""))
        ids = {"request_id": request_id, **({"trace_id": trace[1]} if trace else {})}
        structlog.contextvars.bind_contextvars(**ids)
        try:
            response = (
                self._refuse_two_hosts(request)
                or self._refuse_unknown_host(request)
                or self._refuse_nul(request)
                or self._refuse_large(request)
                or self.get_response(request)
            )
            response["X-Request-Id"] = request_id
            seconds = time.perf_counter() - start
            observe(request, response.status_code, seconds)
            self._log(request, response, ids, seconds)
            if isinstance(response, HttpResponse) and "Content-Length" not in response:
                response["Content-Length"] = str(len(response.content))
        finally:
            structlog.contextvars.clear_contextvars()
        return response

    @staticmethod
    def _log(request: HttpRequest, response: HttpResponseBase, ids: dict[str, str], seconds: float) -> None:
        """One line for each change and each refusal, so that a request id leads to it. No bodies, no queries: they may
        hold customers' data. Successful reads are not logged: there are ten times as many."""
        if response.status_code < 400 and request.method in ("GET", "HEAD", "OPTIONS"):
            return
        request_line(
            **ids,
            method=request.method,
            path=clean(without_secrets(request.path_info)),
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )

    @staticmethod
    def _refuse_two_hosts(request: HttpRequest) -> HttpResponse | None:
        """400 for two `Host` headers, which the server joins by a comma: a proxy may have used the other one."""
        if "," in request.META.get("HTTP_HOST", ""):
            detail = "A request names one host: send a single Host header."
            return problem_response(request, Problem("bad_request", detail, status=400))
        return None

    @staticmethod
    def _refuse_unknown_host(request: HttpRequest) -> HttpResponse | None:
        """400 for a host name that is not ours, on every path: otherwise only pages with links would break.

        Not for probes, which ask by IP address and get no links.
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
    def _refuse_nul(request: HttpRequest) -> HttpResponse | None:
        """400 for a NUL in a page's query: PostgreSQL takes none. The API names the parameter itself."""
        if "%00" in request.META.get("QUERY_STRING", "") and not is_api(request):
            return answer(request, Problem("bad_request", "The address holds a NUL character.", status=400))
        return None

    @staticmethod
    def _refuse_large(request: HttpRequest) -> HttpResponse | None:
        """413 for a body over the limit of its path. `huuva.server.gate` refuses it earlier; other servers may not."""
        length = request.META.get("CONTENT_LENGTH") or ""
        limit = body_limit(request.path_info)
        if length.isascii() and length.isdigit() and int(length) > limit:
            detail = (
                f"The body is larger than {limit} bytes; send at most that much."
                if is_api(request)
                else "The form is too large; send less."
            )
            return answer(request, Problem("body_too_large", detail, status=413))
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Errors of views outside DRF, and unexpected ones: logged with the id, answered without details."""
        problem = as_problem(error, request)
        if problem is None:
            log.exception("unforeseen_error", path=without_secrets(request.path_info), method=request.method)
            if settings.DEBUG:
                return None
            problem = internal_error()
        elif problem.status_code == 503:
            log.warning("unavailable", code=problem.code, error=type(error).__name__)
            drop_connection()
        elif problem.status_code == 404:
            return None
        return answer(request, problem)


# Texts for people, for problems whose own text is for programs.
_FOR_PEOPLE = {
    "busy": _(
        "Nothing was changed: somebody else is changing the same, or the database has too much to do. "
        "Try again in a moment."
    ),
    "database_unavailable": _(
        "Nothing was changed: the database can't be reached right now. Try again in a moment."
    ),
}


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A problem document for programs, a page for people in the admin and on screens."""
    if is_api(request) or "text/html" not in request.headers.get("Accept", ""):
        return problem_response(request, problem)
    context = {"problem": problem, "text": _FOR_PEOPLE.get(problem.code, problem.text)}
    response = render(request, "core/error.html", context, status=problem.status_code)
    for name, value in problem.headers.items():
        response[name] = value
    # As in `problem_response`.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
