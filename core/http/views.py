"""Plain views outside DRF: Django's error views, in the form of all other errors, and views that only read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from core.http.middleware import answer
from core.problems import Problem, as_problem, internal_error, problem_response

View = Callable[[HttpRequest], HttpResponse]


def read_only(view: View) -> View:
    """GET and HEAD only; anything else is a 405 problem."""

    @csrf_exempt  # else a POST would get an error about cookies instead of methods
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            detail = f"{request.method} is not possible here, only GET."
            return problem_response(
                request, Problem("method_not_allowed", detail, status=405, headers={"Allow": "GET, HEAD"})
            )
        response = view(request)
        response.setdefault("Cache-Control", "no-store")
        return response

    return checked


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    malformed = Problem("bad_request", "The request is malformed.", status=400)
    return answer(request, as_problem(exception, request) or malformed)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, Problem("forbidden", "This is not allowed.", status=403))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, Problem("not_found", "There is nothing under this address.", status=404))


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, internal_error())
