"""The variables that web and live both read, each declared once. Live reads them without Django."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.addresses import redis_url
from core.env import PROJECT_ROOT, Env
from core.home import secret_key
from core.logs import LEVELS


@dataclass(frozen=True)
class SharedVariables:
    """`port` is web's; live takes the next one. `trusted_origins` may have `*` for a subdomain."""

    home: Path
    secret_key: str
    redis_url: str
    host: str
    port: int
    trusted_origins: list[str]
    log_level: str

    @classmethod
    def read(cls, env: Env) -> SharedVariables:
        """Raises ConfigError."""
        home = Path(
            env.str(
                "HUUVA_HOME",
                str(PROJECT_ROOT / "var"),
                description="Folder of the embedded servers' data, logs and secrets",
            )
        ).absolute()
        address = env.url(
            "REDIS_URL",
            schemes=("redis", "rediss", "unix"),
            secret=True,
            description="Valkey or Redis, as redis://host:port/0; unset: the embedded one",
        )
        return cls(
            home=home,
            secret_key=secret_key(env, home),
            redis_url=address or redis_url(home),
            host=env.str("HUUVA_HOST", "127.0.0.1", description="Address that web and live listen on"),
            port=env.int(
                "HUUVA_PORT",
                8000,
                minimum=1,
                maximum=65534,
                description="Port of web; live takes the next one",
            ),
            trusted_origins=env.list(
                "HUUVA_TRUSTED_ORIGINS",
                [],
                description="Origins (https://…) whose forms are accepted, separated by commas",
            ),
            log_level=env.str(
                "HUUVA_LOG_LEVEL", "INFO", one_of=LEVELS, description="DEBUG, INFO, WARNING or ERROR"
            ),
        )
