"""The boards themselves: pages, and the partials that keep them fresh."""

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from core import stream_tokens as tokens
from core.live_address import live_url
from kitchen_display.board import Board, read_board
from kitchen_display.models import Screen
from kitchen_display.pickup import PickupBoard, read_pickup
from kitchen_display.recallables import recall_list
from kitchen_display.sightings import record_sightings
from kitchen_display.tickets import milliseconds
from kitchen_display.views.access import (
    COOKIE_SECONDS,
    DISPLAY,
    PICKUP,
    Place,
    View,
    by_script,
    for_screen,
    keep_cookie,
    private,
    screen_of,
)
from kitchen_display.views.pairing import pairing_page
from orders.pace import pace_of

WORKER: Final = Path("static/kitchen_display/js/worker.js")


def stream_url(request: HttpRequest, screen: Screen) -> str:
    """Where the page listens for hints. The token in it names kitchen, screen and pairing, and expires."""
    token = tokens.make_token(settings.SECRET_KEY, screen.kitchen_id, screen.pk, pairing=screen.pairing)
    return tokens.stream_url(live_url(request), token)


def answer_board(
    request: HttpRequest, screen: Screen, board: Board | PickupBoard, template: str, **more: Any
) -> HttpResponse:
    """A page or partial with the headers that scripts read."""
    context = {"screen": screen, "board": board, "stream_url": stream_url(request, screen), **more}
    return _with_headers(render(request, f"kitchen_display/{template}", context), board)


def _with_headers(response: HttpResponse, board: Board | PickupBoard) -> HttpResponse:
    response["X-Board-Version"] = board.version
    response["X-Board-Moment"] = board.stamp
    response["X-Server-Time"] = str(milliseconds(timezone.now()))
    response["ETag"] = f'"{board.version}"'
    # Not for the back button either: browsers show what they stored without asking.
    response["Cache-Control"] = "no-store, private"
    return response


@require_safe
@ensure_csrf_cookie
def display(request: HttpRequest) -> HttpResponse:
    """The wall, or what the browser needs to become one."""
    return _home(request, DISPLAY, _display_page)


@require_safe
@ensure_csrf_cookie
def pickup(request: HttpRequest) -> HttpResponse:
    """The board for couriers, or what the browser needs to become one."""
    return _home(request, PICKUP, _pickup_page)


def _home(request: HttpRequest, place: Place, page: View) -> HttpResponse:
    if screen_of(request, place) is None:
        return private(pairing_page(request, place))
    response = page(request)
    if response.status_code == 200:
        keep_cookie(response, place, place.cookie, request.COOKIES[place.cookie], COOKIE_SECONDS)
    return response


@for_screen(DISPLAY)
def _display_page(request: HttpRequest, screen: Screen) -> HttpResponse:
    board = read_board(screen, timezone.now())
    return answer_board(request, screen, board, "display.html", pace=pace_of(screen.kitchen_id))


@for_screen(PICKUP)
def _pickup_page(request: HttpRequest, screen: Screen) -> HttpResponse:
    return answer_board(request, screen, read_pickup(screen, timezone.now()), "pickup.html")


@require_safe
@for_screen(DISPLAY)
def board_partial(request: HttpRequest, screen: Screen) -> HttpResponse:
    """The board; 304 where the page shows it already.

    `seen`, repeated: orders that the page has shown since, so that reporting them costs no request of its own.
    """
    if request.GET.getlist("seen"):
        record_sightings(screen, request.GET.getlist("seen"))
    return _board_or_304(request, screen, read_board(screen, timezone.now()), "_board.html")


@require_safe
@for_screen(PICKUP)
def pickup_partial(request: HttpRequest, screen: Screen) -> HttpResponse:
    return _board_or_304(request, screen, read_pickup(screen, timezone.now()), "_pickup.html")


def _board_or_304(
    request: HttpRequest, screen: Screen, board: Board | PickupBoard, template: str
) -> HttpResponse:
    etags = [
        tag.strip().removeprefix("W/").strip('"')
        for tag in request.headers.get("If-None-Match", "").split(",")
    ]
    if board.version in etags:
        unchanged = _with_headers(HttpResponseNotModified(), board)
        # The page needs a fresh token even if nothing changes for hours.
        unchanged["X-Stream-Url"] = stream_url(request, screen)
        unchanged["X-Board-Next"] = str(board.next_ms or "")
        return unchanged
    return answer_board(request, screen, board, template)


@require_safe
@for_screen(DISPLAY)
def recalls(request: HttpRequest, screen: Screen) -> HttpResponse:
    """The last 30 things that this screen may bring back."""
    context = {"recalls": recall_list(screen, timezone.now()), "screen": screen}
    name = "_recalls" if by_script(request) else "recalls"
    return render(request, f"kitchen_display/{name}.html", context)


@require_safe
@for_screen(DISPLAY)
def paper(request: HttpRequest, screen: Screen) -> HttpResponse:
    """All open orders, for printing: what the kitchen works by when everything else is down."""
    board = read_board(screen, timezone.now())
    return answer_board(request, screen, board, "paper.html")


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, served from here so that its scope is /display/. It contains no data: anybody may read it."""
    script = (settings.BASE_DIR / WORKER).read_bytes()
    response = HttpResponse(script, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response
