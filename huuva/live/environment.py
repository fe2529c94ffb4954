"""What live takes from its environment: the variables that it shares with web, the limit of open files, and the origins
whose pages may open streams."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from core.env import Env
from core.variables import SharedVariables

# Files that this process needs besides its streams.
SPARE_FILES: Final = 64
# Below granian's backpressure (huuva/ops/processes.py): connections beyond that are not even refused, they wait.
MOST_STREAMS: Final = 16_000


@dataclass(frozen=True)
class Environment:
    """`origins` are those of web's pages; `*` in one stands for a subdomain. `web_port` is web's own port."""

    secret_key: str
    redis_url: str
    origins: frozenset[str]
    web_port: int
    log_level: str
    most_streams: int

    @classmethod
    def read(cls, env: Env | None = None) -> Environment:
        """Raises ConfigError."""
        shared = SharedVariables.read(env or Env())
        hosts = (shared.host, "localhost", "127.0.0.1", "::1")
        own = {f"http://{_in_url(host)}:{shared.port}" for host in hosts}
        return cls(
            secret_key=shared.secret_key,
            redis_url=shared.redis_url,
            origins=frozenset(own.union(shared.trusted_origins)),
            web_port=shared.port,
            log_level=shared.log_level,
            most_streams=_most_streams(),
        )


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


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _most_streams() -> int:
    """Each stream is an open file, and the process must keep some."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_STREAMS if soft == resource.RLIM_INFINITY else max(1, min(MOST_STREAMS, soft - SPARE_FILES))
