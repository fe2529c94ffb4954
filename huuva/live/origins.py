"""Origins, other than live's own, whose pages may open a stream."""

from __future__ import annotations

from urllib.parse import urlsplit


class Origins:
    """The configured origins, and any host with web's port: a wall may use any name of this machine."""

    def __init__(self, known: frozenset[str], web_port: int) -> None:
        self._exact = {origin for origin in known if "*" not in origin}
        # As in Django: https://*.example.com stands for every subdomain.
        self._wild = [origin.split("*", 1) for origin in known if "*" in origin]
        self._web_port = web_port

    def allow(self, origin: str, host: str) -> bool:
        """`host` is the Host header."""
        if origin in self._exact:
            return True
        if any(origin.startswith(start) and origin.endswith(end) for start, end in self._wild):
            return True
        try:
            page, here = urlsplit(origin), urlsplit(f"//{host}")
            return page.hostname == here.hostname and page.port == self._web_port
        except ValueError:
            return False
