"""Where a request comes from."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's address. Behind our proxy (HUUVA_HTTPS) it is what the proxy adds last to `X-Forwarded-For`: what
    stands before it anybody can write."""
    address: str = request.META.get("REMOTE_ADDR", "")
    if settings.HUUVA_HTTPS:
        address = request.META.get("HTTP_X_FORWARDED_FOR", address).rpartition(",")[2].strip() or address
    return address
