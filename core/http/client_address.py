"""Where a request comes from: what limits count by."""

import ipaddress
import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest

# Some proxies add the port: 203.0.113.9:4711, [2001:db8::1]:4711.
_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::\d+)?|(?P<four>[\d.]+):\d+")


def client_address(request: HttpRequest) -> str:
    """The client's address. Behind our proxy (HUUVA_HTTPS) it is what the proxy adds last to `X-Forwarded-For`: what
    stands before it anybody can write. Where that is no address, it is the proxy's."""
    address: str = request.META.get("REMOTE_ADDR", "")
    if settings.HUUVA_HTTPS:
        address = _address(request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2]) or address
    return address


def client_network(request: HttpRequest) -> str:
    """What limits count by: the client's IPv4 address, or the /64 of its IPv6 address, which is one customer's."""
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
    found = _WITH_PORT.fullmatch(text.strip())
    try:
        return str(ipaddress.ip_address(found["six"] or found["four"] if found else text.strip()))
    except ValueError:
        return ""
