"""Middleware for pages only: the API has no sessions and no files, and thousands of calls an hour."""

import time
from typing import Any, Final

from django.contrib.auth import SESSION_KEY
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from whitenoise import middleware as whitenoise

from core.api import is_api


class PagesOnly:
    """A mixin that makes a middleware skip requests of the API."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_api(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class WhiteNoiseMiddleware(PagesOnly, whitenoise.WhiteNoiseMiddleware):
    pass


# Subclasses of Django's, because its checks of the admin look for those.


class SessionMiddleware(PagesOnly, sessions.SessionMiddleware):
    """Ends a session of the admin that was unused for SESSION_COOKIE_AGE, and every session after LONGEST_SECONDS. A
    page that refreshes itself (`X-Requested-With: fetch`) doesn't count as use."""

    LONGEST_SECONDS: Final = 14 * 24 * 3600
    # A session is written once in this time, not with each page.
    STEP_SECONDS: Final = 300

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        session = request.session
        if session.accessed and SESSION_KEY in session:
            now = int(time.time())
            if now - session.setdefault("began", now) > self.LONGEST_SECONDS:
                session.flush()
            elif (
                request.headers.get("X-Requested-With") != "fetch"
                and now - session.get("used", 0) > self.STEP_SECONDS
            ):
                session["used"] = now  # which saves it with a new end
        return super().process_response(request, response)


def note_login(request: HttpRequest, **_: Any) -> None:
    """Receiver of `user_logged_in`: note the start of the session, so that the first page need not write it."""
    request.session["began"] = request.session["used"] = int(time.time())


class AuthenticationMiddleware(PagesOnly, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(PagesOnly, messages.MessageMiddleware):
    pass


class PageLocaleMiddleware(LocaleMiddleware):
    """The visitor's language for pages. The API's texts are English only."""

    def process_request(self, request: HttpRequest) -> None:
        if is_api(request):
            translation.deactivate()  # This thread may have served a page in another language.
        else:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response if is_api(request) else super().process_response(request, response)
