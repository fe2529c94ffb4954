"""Answers that every view gives in the same way: by script, or by plain forms and links."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _


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
