"""Which screen asks, what it may ask, and the answers that all views share."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _

from kitchen_display.models import Screen
from kitchen_display.pairing import find_screen

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


def screen_of(request: HttpRequest, place: Place) -> Screen | None:
    """The screen whose cookie the browser holds, revoked or not. All that a request may see and do is its kitchen's.

    Read from the database each time, so that a revocation counts at once. A pickup board's token opens nothing on the
    kitchen's side, nor the other way round.
    """
    token = request.COOKIES.get(place.cookie, "")
    screen = find_screen(token) if token else None
    return screen if screen is not None and screen.kind == place.kind else None


type View = Callable[..., HttpResponse]


def for_screen(place: Place) -> Callable[[View], View]:
    """For views `(request, screen, …)`: lets paired screens in, in their language; others get a friendly 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            screen = screen_of(request, place)
            if screen is None:
                return private(unpaired(request, place.path))
            with translation.override(screen.language or translation.get_language()):
                if screen.revoked_at is not None:
                    response = revoked(request, place.path)
                else:
                    _update_last_seen(screen)
                    response = view(request, screen, *args, **kwargs)
                response["Content-Language"] = translation.get_language()
            return private(response)

        return guarded

    return decorate


def _update_last_seen(screen: Screen) -> None:
    now = timezone.now()
    # Also where it lies ahead: the clock may have been set back.
    if screen.last_seen_at is None or abs(now - screen.last_seen_at) >= SEEN_EVERY:
        # A database that is busy or read-only for a while must not keep the board from being shown.
        with contextlib.suppress(DatabaseError), transaction.atomic():
            Screen.objects.filter(pk=screen.pk).update(last_seen_at=now)


def private(response: HttpResponse) -> HttpResponse:
    """For this browser only: no cache on the way stores a copy. The page's service worker may."""
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


class SeeOther(HttpResponseRedirect):
    """After a form: read the page again."""

    status_code = 303


def by_script(request: HttpRequest) -> bool:
    """Whether the page's own script asks; it wants partials, not pages."""
    return request.headers.get("X-Requested-With") == "fetch" or "HX-Request" in request.headers


def refused(request: HttpRequest, sentence: str, back: str, status: int = 409) -> HttpResponse:
    """One short sentence for the cook; without a script, a page that leads back to the wall."""
    if by_script(request):
        return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    return render(request, "kitchen_display/refused.html", {"message": sentence, "back": back}, status=status)


def unpaired(request: HttpRequest, home: str) -> HttpResponse:
    """403 for addresses that only a paired screen may ask, with the way to the page that pairs."""
    return refused(request, _("This screen is not paired."), home, status=403)


def revoked(request: HttpRequest, home: str) -> HttpResponse:
    """403 with a friendly page, or the same as a partial."""
    name = "_revoked" if by_script(request) else "revoked"
    return render(
        request,
        f"kitchen_display/{name}.html",
        {"pair_url": f"{home}pair"},
        status=403,
    )
