"""Django's own error views (unknown addresses and the like), in the shape of all other errors."""

from django.http import HttpRequest, HttpResponse

from core.http.middleware import answer
from core.problems import Problem, as_problem, internal_error


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    malformed = Problem("bad_request", "The request is malformed.", status=400)
    return answer(request, as_problem(exception, request) or malformed)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, Problem("forbidden", "This is not allowed.", status=403))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, Problem("not_found", "There is nothing under this address.", status=404))


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, internal_error())
