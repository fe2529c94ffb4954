"""Which addresses deliveries may connect to: none in our own network, whatever a URL or a name server says (SSRF).

A URL is checked twice: as text when somebody enters it (`check_url`), for an early and clear answer; and as an address
each time a socket is created (`guarded_socket`). The second check is the one that protects: it sees the very address
that is connected to, so neither another spelling of an address nor a name that resolves to something else later (DNS
rebinding) gets past it.
"""

import ipaddress
import socket
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_LENGTH: Final = 2000
# Below 1024 only the web's own ports; above, none on which databases, caches and the like listen.
LOW_PORTS: Final = frozenset({80, 443})
REFUSED_PORTS: Final = frozenset(
    {1433, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5672, 5900, 5984, 6000, 6379, 6443}
    | {6665, 6666, 6667, 6668, 6669, 8086, 8500, 9042, 9092, 9200, 9300, 10250, 10255, 11211, 15672, 27017}
)
# Clouds serve credentials to every machine on these: Azure's is public, the others look like private ones.
_REFUSED_ALWAYS: Final = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "168.63.129.16",  # Azure
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google
        "192.0.0.192",  # Oracle
        "100.100.100.200",  # Alibaba
    )
)
# IPv6 networks whose addresses contain an IPv4 address that a gateway may connect to; its place (bits from the right).
_EMBEDDING_NETWORKS: Final = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped
    (ipaddress.IPv6Network("::/96"), 0),  # IPv4-compatible, deprecated
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated (SIIT)
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)
_REFUSED_NETWORKS: Final = (
    ipaddress.IPv6Network(
        "64:ff9b:1::/48"
    ),  # NAT64 of local use: the gateway decides where the IPv4 address is
    ipaddress.IPv6Network("2001::/32"),  # Teredo
    ipaddress.IPv6Network("fec0::/10"),  # site-local, deprecated
)


class Refused(OSError):
    """An address that deliveries must not connect to."""

    text: Final = "this address is refused"

    def __init__(self) -> None:
        super().__init__(self.text)


def may_connect(address: Address, *, private: bool) -> bool:
    """Whether deliveries may connect to it; `private`: also in private networks and on this machine.

    Link-local addresses are refused even then: clouds serve credentials there.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        # The loopback and the unspecified address look like IPv4-compatible ones.
        if not (address.is_loopback or address.is_unspecified):
            for network, shift in _EMBEDDING_NETWORKS:
                if address in network:
                    inner = ipaddress.IPv4Address(int(address) >> shift & 0xFFFF_FFFF)
                    return may_connect(inner, private=private)
        if any(address in network for network in _REFUSED_NETWORKS):
            return False
    if address in _REFUSED_ALWAYS or address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    if private and (address.is_private or address.is_loopback):
        return True
    return address.is_global and not address.is_reserved


def guarded_socket(address_info: tuple[Any, ...]) -> socket.socket:
    """A socket for an address that may be connected to: aiohttp's `socket_factory`. Raises Refused."""
    family, kind, protocol, _name, target = address_info
    try:
        address = ipaddress.ip_address(target[0])
    except ValueError:
        raise Refused from None
    scoped = len(target) > 3 and target[3] != 0
    if scoped or not may_connect(address, private=settings.HUUVA_WEBHOOKS_ALLOW_PRIVATE):
        raise Refused
    return socket.socket(family, kind, protocol)


def check_url(url: str) -> None:
    """For forms and the API. Raises ValidationError that names the fault of the URL."""
    private = settings.HUUVA_WEBHOOKS_ALLOW_PRIVATE
    schemes = ("https", "http") if settings.HUUVA_WEBHOOKS_ALLOW_HTTP else ("https",)
    if len(url) > MAX_URL_LENGTH:
        raise ValidationError(_("A URL has at most %(most)d characters."), params={"most": MAX_URL_LENGTH})
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValidationError(
            _("Write the URL in ASCII, without spaces or backslashes; percent-encode the rest.")
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValidationError(_("This is no URL.")) from None
    if parts.scheme not in schemes:
        raise ValidationError(
            _("The URL must start with %(schemes)s."),
            code="scheme",
            params={"schemes": " or ".join(f"{scheme}://" for scheme in schemes)},
        )
    if not host or "%" in host:
        raise ValidationError(_("The URL must name a host, without a zone."))
    if parts.username is not None or parts.password is not None:
        raise ValidationError(_("A URL with a user or password is refused: deliveries are signed instead."))
    if parts.fragment:
        raise ValidationError(_("Leave out what follows the #: it is never sent."))
    if not private:
        if port is not None and (port in REFUSED_PORTS or (port < 1024 and port not in LOW_PORTS)):
            raise ValidationError(_("Port %(port)d is refused."), code="port", params={"port": port})
        _check_host(host)


def _check_host(host: str) -> None:
    """Check what the name alone shows; the rest is checked when a connection is made."""
    refused = ValidationError(_("Addresses inside private networks are refused."), code="private")
    lowered = host.rstrip(".").lower()
    if lowered == "localhost" or lowered.endswith((".localhost", ".local", ".internal")):
        raise refused
    try:
        address: Address | None = ipaddress.ip_address(host)
    except ValueError:
        try:
            # Old spellings: 2130706433, 0x7f.1, 0177.0.0.1.
            address = ipaddress.ip_address(socket.inet_aton(host))
        except OSError:
            address = None
    if address is not None and not may_connect(address, private=False):
        raise refused
