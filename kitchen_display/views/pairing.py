"""How a browser is paired: the page with a code, its status, and the link."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from core.http.client_address import client_network
from kitchen_display.models import Screen
from kitchen_display.pairing import (
    CODE_LIFETIME,
    Paired,
    PairingRefused,
    digest_of,
    find_link,
    find_waiting,
    finish_waiting,
    is_in_use_elsewhere,
    start_waiting,
    use_link,
)
from kitchen_display.views.access import (
    COOKIE_SECONDS,
    DISPLAY,
    PICKUP,
    PLACES,
    Place,
    SeeOther,
    keep_cookie,
    private,
    screen_of,
)


def pairing_page(request: HttpRequest, place: Place, message: str = "", status: int = 200) -> HttpResponse:
    """The code that this browser waits with, the same until it expires. Once it was entered: on to the board."""
    secret = request.COOKIES.get(place.waiting_cookie, "")
    paired = finish_waiting(secret) if secret else None
    if paired is not None:
        return _welcome(paired)
    waiting = find_waiting(secret) if secret else None
    try:
        if waiting is None:
            waiting, secret = start_waiting(place.kind, client_network(request))
    except PairingRefused as refusal:
        message, secret = str(refusal), ""
    response = render(
        request,
        "kitchen_display/pair.html",
        {
            "code": waiting.code if waiting else "",
            "message": message,
            "status_url": f"{place.path}pair/status",
            "home": place.path,
            "board": "pickup" if place is PICKUP else "kitchen",
        },
        status=status,
    )
    if secret:
        keep_cookie(response, place, place.waiting_cookie, secret, int(CODE_LIFETIME.total_seconds()))
    return response


@require_safe
def display_pair(request: HttpRequest) -> HttpResponse:
    return private(pairing_page(request, DISPLAY))


@require_safe
def pickup_pair(request: HttpRequest) -> HttpResponse:
    return private(pairing_page(request, PICKUP))


@require_GET
def display_status(request: HttpRequest) -> HttpResponse:
    return _status(request, DISPLAY)


@require_GET
def pickup_status(request: HttpRequest) -> HttpResponse:
    return _status(request, PICKUP)


def _status(request: HttpRequest, place: Place) -> HttpResponse:
    """204: not yet; 200: paired, load the page; 410: the code has ended, load the page for a new one."""
    secret = request.COOKIES.get(place.waiting_cookie, "")
    paired = finish_waiting(secret) if secret else None
    if paired is not None:
        response = HttpResponse(PLACES[paired.screen.kind].path, content_type="text/plain; charset=utf-8")
        return private(_keep(response, paired))
    screen = screen_of(request, place)
    if screen is not None and screen.revoked_at is None:
        return private(HttpResponse(place.path, content_type="text/plain; charset=utf-8"))
    if secret and find_waiting(secret) is not None:
        return private(HttpResponse(status=204))
    return private(
        HttpResponse(_("This code has expired."), status=410, content_type="text/plain; charset=utf-8")
    )


@ensure_csrf_cookie
@require_http_methods(["GET", "POST"])
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """The one-time link. Opened again by the browser that it paired, it leads to the board.

    A GET doesn't use it up: mail and chat programs open links for a preview. The page that it opens submits its form by
    itself, unless the screen may be in use in another browser: it is moved only on purpose.
    """
    try:
        if request.method == "POST":
            return private(_welcome(use_link(token)))
        screen = find_link(token)
        own = [request.COOKIES[place.cookie] for place in PLACES.values() if place.cookie in request.COOKIES]
        page = "move" if is_in_use_elsewhere(screen, own) else "open"
        return private(render(request, f"kitchen_display/{page}.html", {"screen": screen}))
    except PairingRefused as refusal:
        for place in PLACES.values():
            paired = screen_of(request, place)
            if paired is not None and paired.revoked_at is None and _was_its_link(paired, token):
                return private(SeeOther(place.path))
        return private(pairing_page(request, DISPLAY, str(refusal), status=410))


def _was_its_link(screen: Screen, token: str) -> bool:
    return screen.used_link_digest == digest_of(token)


def _welcome(paired: Paired) -> HttpResponse:
    return _keep(SeeOther(PLACES[paired.screen.kind].path), paired)


def _keep(response: HttpResponse, paired: Paired) -> HttpResponse:
    place = PLACES[paired.screen.kind]
    keep_cookie(response, place, place.cookie, paired.token, COOKIE_SECONDS)
    for each in PLACES.values():
        response.delete_cookie(each.waiting_cookie, path=each.path)
    return response
