"""The client's address, by which limits count."""

import ipaddress
import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest

# Some proxies add the port: 203.0.113.9:4711, [2001:db8::1]:4711.
_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::\d+)?|(?P<four>[\d.]+):\d+")


def client_address(request: HttpRequest) -> str:
    """Behind our proxy (HUUVA_HTTPS) the last address in `X-Forwarded-For`: the proxy adds it, and a client can write
    all that stands before it. If that is no address, the proxy's own."""
    address: str = request.META.get("REMOTE_ADDR", "")
    if settings.HUUVA_HTTPS:
        address = _address(request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2]) or address
    return address


def client_network(request: HttpRequest) -> str:
    """The client's IPv4 address, or the /64 of its IPv6 address, which belongs to one customer."""
    address = client_address(request)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _address(text: str) -> str:
    match = _WITH_PORT.fullmatch(text.strip())
    try:
        return str(ipaddress.ip_address(match["six"] or match["four"] if match else text.strip()))
    except ValueError:
        return ""
