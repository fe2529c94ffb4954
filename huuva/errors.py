"""Django's own error views (unknown addresses and the like), in the shape of all other errors."""

from django.http import HttpRequest, HttpResponse

from huuva.middleware import answer
from huuva.problems import Problem, internal_error


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, Problem("bad_request", "The request is malformed.", status=400))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, Problem("forbidden", "This is not allowed.", status=403))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, Problem("not_found", "There is nothing under this address.", status=404))


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, internal_error())
