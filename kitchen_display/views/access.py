"""Which screen asks, and what it may ask."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from kitchen_display.models import Screen
from kitchen_display.pairing import find_screen
from kitchen_display.views.answers import revoked, unpaired

# As long as browsers keep any cookie; each visit of the page renews it.
COOKIE_SECONDS: Final = 400 * 24 * 3600
SEEN_EVERY: Final = timedelta(seconds=30)


class Place(NamedTuple):
    """Where screens of a kind live. Each kind has a cookie of its own, so that one browser can hold both boards."""

    kind: str
    path: str
    cookie: str
    waiting_cookie: str


DISPLAY: Final = Place(Screen.Kind.KITCHEN, "/display/", "huuva_screen", "huuva_screen_waiting")
PICKUP: Final = Place(Screen.Kind.PICKUP, "/pickup/", "huuva_pickup", "huuva_pickup_waiting")
PLACES: Final = {place.kind: place for place in (DISPLAY, PICKUP)}


def asking_screen(request: HttpRequest, place: Place) -> Screen | None:
    """The screen whose cookie the browser holds, revoked or not; asked of the database each time, so that a
    revocation counts at once. A pickup board's token opens nothing on the kitchen's side, nor the other way round."""
    token = request.COOKIES.get(place.cookie, "")
    screen = find_screen(token) if token else None
    return screen if screen is not None and screen.kind == place.kind else None


type View = Callable[..., HttpResponse]


def for_screen(place: Place) -> Callable[[View], View]:
    """For views `(request, screen, …)`: lets paired screens in, in their language; tells others in a friendly way."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            screen = asking_screen(request, place)
            if screen is None:
                return private(unpaired(request, place.path))
            with translation.override(screen.language or translation.get_language()):
                if screen.revoked_at is not None:
                    response = revoked(request, place.path)
                else:
                    _note_seen(screen)
                    response = view(request, screen, *args, **kwargs)
                response["Content-Language"] = translation.get_language()
            return private(response)

        return guarded

    return decorate


def _note_seen(screen: Screen) -> None:
    now = timezone.now()
    # Either way: the clock may have been set back.
    if screen.last_seen_at is None or abs(now - screen.last_seen_at) >= SEEN_EVERY:
        # A database that is busy or read-only for a while is no reason to show nothing.
        with contextlib.suppress(DatabaseError), transaction.atomic():
            Screen.objects.filter(pk=screen.pk).update(last_seen_at=now)


def private(response: HttpResponse) -> HttpResponse:
    """Nothing between us and the browser keeps a copy; the page's own worker does."""
    if "Cache-Control" not in response:
        add_never_cache_headers(response)
    patch_vary_headers(response, ["Cookie"])
    return response


def keep_cookie(response: HttpResponse, place: Place, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=place.path,
        secure=settings.HUUVA_HTTPS,
        httponly=True,
        samesite="Lax",
    )
