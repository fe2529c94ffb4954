"""Django's own error views (unknown addresses and the like), in the shape of all other errors."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from huuva.problems import Problem, as_problem, internal_error
from huuva.web.logins import Attempt, too_many
from huuva.web.middleware import answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    malformed = Problem("bad_request", "The request is malformed.", status=400)
    return answer(request, as_problem(exception, request) or malformed)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, Problem("forbidden", "This is not allowed.", status=403))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, Problem("not_found", "There is nothing under this address.", status=404))


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, internal_error())


def locked_out(request: HttpRequest, original: HttpResponse, credentials: Any) -> HttpResponse:
    """Of django-axes: too many wrong passwords for a name from this address."""
    if not hasattr(request, "login_checked"):
        Attempt.of(request, str(request.POST.get("username", ""))).tell("refused", limit="name and address")
    return answer(request, too_many(settings.AXES_COOLOFF_TIME.seconds))
