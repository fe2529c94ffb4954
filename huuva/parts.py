"""The running parts: what to run for each, and how a container becomes one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from huuva.env import ConfigError

# A worker's threads share one interpreter, so more of them add waiting, not work; each holds a database connection.
WEB_THREADS: Final = 4


def commands(home: Path, host: str, port: int, workers: int) -> dict[str, list[str]]:
    """What to run for each part."""
    granian = [sys.executable, "-m", "granian", "--host", host, "--log-level", "warning", "--no-ws"]
    # A proxy in front speaks HTTP/2 with clients, and HTTP/1.1 with us.
    granian += ["--http", "1"]
    # A worker that dies is replaced; one that dies again within seconds ends its part, and that ends all.
    granian += ["--respawn-failed-workers", "--respawn-interval", "0.2"]
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "huuva"]
    return {
        "web": [
            *granian,
            *("--interface", "wsgi", "--port", str(port), "--workers", str(workers)),
            *("--blocking-threads", str(WEB_THREADS), "--blocking-threads-idle-timeout", "600"),
            *("--workers-kill-timeout", "3", "huuva.wsgi:application"),
        ],
        "live": [
            *granian,
            *("--interface", "asgi", "--port", str(port + 1), "--workers", "1"),
            # Without these two numbers open streams keep new ones out; without the timeout they keep it running.
            *("--backlog", "16384", "--backpressure", "16384"),
            *("--workers-kill-timeout", "2", "huuva.asgi:application"),
        ],
        "worker": [
            *celery,
            # One place is taken by the loop of deliveries for good.
            *("worker", "--loglevel", "INFO", "--concurrency", "3", "--without-gossip", "--without-mingle"),
        ],
        "beat": [
            *celery,
            *("beat", "--loglevel", "INFO", "--pidfile", ""),
            *("--schedule", str(home / "run" / "beat-schedule")),
        ],
    }


def main(name: str) -> None:
    """Becomes that part: what a container runs."""
    try:
        from huuva import settings
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    known = commands(
        settings.HUUVA_HOME, settings.HUUVA_HOST, settings.HUUVA_PORT, settings.HUUVA_WEB_WORKERS
    )
    if name not in known:
        sys.exit(f"Unknown part {name!r}: one of {', '.join(known)}.")
    os.execv(sys.executable, known[name])  # noqa: S606  (our own command, no shell)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
