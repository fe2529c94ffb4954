"""The admin while the rows to change are locked: a message on the page that the manager came from."""

from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from core.problems import drop_connection, is_busy

log = structlog.get_logger(__name__)


class BusyAdminMiddleware:
    """Turns a lock timeout, deadlock or statement timeout of an admin form into a message. It stands behind the session
    and message middleware, which it needs. Other requests get the 503 of `GateMiddleware`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        home = reverse("admin:index")
        if request.method != "POST" or not request.path.startswith(home) or not is_busy(error):
            return None
        log.warning("unavailable", code="busy", error=type(error).__name__)
        drop_connection()
        messages.error(
            request,
            _("Nothing was changed: somebody else is changing the same right now. Try again in a moment."),
        )
        return HttpResponseRedirect(_came_from(request, home))


def _came_from(request: HttpRequest, home: str) -> str:
    """The page with the form, if the browser names it: the form may post to a URL that has no page."""
    page = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if ours and urlsplit(page).path.startswith(home) else home
