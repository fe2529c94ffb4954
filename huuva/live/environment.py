"""What live needs to know, read by the same rules as the settings but without Django: a test holds the two equal."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.addresses import redis_url
from core.env import PROJECT_ROOT, Env
from core.home import secret_key
from core.logs import LEVELS

# Files that this process needs beside its streams.
SPARE_FILES: Final = 64
# Below granian's backpressure (huuva/ops/processes.py): what comes beyond that is not even refused, it waits.
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
        env = env or Env()
        home = Path(env.str("HUUVA_HOME", str(PROJECT_ROOT / "var"))).absolute()
        host = env.str("HUUVA_HOST", "127.0.0.1")
        port = env.int("HUUVA_PORT", 8000, minimum=1, maximum=65534)
        address = env.url("REDIS_URL", schemes=("redis", "rediss", "unix"), secret=True)
        own = {f"http://{_in_url(name)}:{port}" for name in (host, "localhost", "127.0.0.1", "::1")}
        return cls(
            secret_key=secret_key(env, home),
            redis_url=address or redis_url(home),
            origins=frozenset(own.union(env.list("HUUVA_TRUSTED_ORIGINS", []))),
            web_port=port,
            log_level=env.str("HUUVA_LOG_LEVEL", "INFO", one_of=LEVELS),
            most_streams=_most_streams(),
        )


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _most_streams() -> int:
    """Each stream is an open file, and the process must keep some."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_STREAMS if soft == resource.RLIM_INFINITY else max(1, min(MOST_STREAMS, soft - SPARE_FILES))
