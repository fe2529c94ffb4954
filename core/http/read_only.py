"""Plain views outside DRF that only read: probes, metrics, the API's description."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from core.problems import Problem, problem_response

View = Callable[[HttpRequest], HttpResponse]


def read_only(view: View) -> View:
    """GET and HEAD only; anything else is a 405 problem."""

    @csrf_exempt  # else a POST would be told about cookies instead of methods
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
