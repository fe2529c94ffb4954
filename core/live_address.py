"""The address of the live process, for pages."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def live_url(request: HttpRequest) -> str:
    """HUUVA_LIVE_URL; if unset, the host of this request and the next port."""
    if settings.HUUVA_LIVE_URL:
        return str(settings.HUUVA_LIVE_URL)
    host = urlsplit(f"//{request.get_host()}").hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    return f"{request.scheme}://{bracketed}:{settings.HUUVA_PORT + 1}"


def live_origin(request: HttpRequest) -> str:
    """Its origin, for a content security policy: with a path it would match that address only."""
    parts = urlsplit(live_url(request))
    return f"{parts.scheme}://{parts.netloc}"
