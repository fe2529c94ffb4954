"""Middleware that only pages need: the API has no sessions and no files, and thousands of calls an hour."""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from whitenoise import middleware as whitenoise

from huuva.api import is_api


class PagesOnly:
    """Lets requests of the API pass by the middleware that it stands before."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_api(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class WhiteNoiseMiddleware(PagesOnly, whitenoise.WhiteNoiseMiddleware):
    pass


# Subclasses, by which Django's checks of the admin know them.


class SessionMiddleware(PagesOnly, sessions.SessionMiddleware):
    pass


class AuthenticationMiddleware(PagesOnly, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(PagesOnly, messages.MessageMiddleware):
    pass


class PageLocaleMiddleware(LocaleMiddleware):
    """The visitor's language for pages. The API speaks English only: programs read its texts, or nobody does."""

    def process_request(self, request: HttpRequest) -> None:
        if is_api(request):
            translation.deactivate()  # This thread may have served a page in another language.
        else:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response if is_api(request) else super().process_response(request, response)
