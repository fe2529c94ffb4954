"""The processes of an installation: the command of each, and how a container becomes one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core.env import ConfigError
from core.home import make_folder


def commands(home: Path, host: str, port: int, workers: int) -> dict[str, list[str]]:
    """The command of each process, by name."""
    server = [sys.executable, "-m", "huuva.server", "--host", host]
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "huuva"]
    return {
        "web": [
            *server,
            *("--port", str(port), "--workers", str(workers), "huuva.wsgi:application"),
        ],
        "live": [
            *server,
            *("--port", str(port + 1), "--workers", "1", "--streams", "huuva.asgi:application"),
        ],
        "worker": [
            *celery,
            # Besides tasks it runs what is registered with core.companions.
            *("worker", "--loglevel", "INFO", "--concurrency", "2", "--without-gossip", "--without-mingle"),
        ],
        "beat": [
            *celery,
            *("beat", "--loglevel", "INFO", "--pidfile", ""),
            *("--schedule", str(home / "run" / "beat-schedule")),
        ],
    }


def make_folders(home: Path, static: Path) -> None:
    """The folders that a process needs: each may be the first one in a new home. Raises ConfigError."""
    make_folder(home)
    make_folder(home / "run")
    # It may be empty, but WhiteNoise warns in each worker if it is missing.
    make_folder(static)


def main(name: str) -> None:
    """Becomes that process: the entry point of a container."""
    try:
        from huuva import settings
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    known = commands(
        settings.HUUVA_HOME, settings.HUUVA_HOST, settings.HUUVA_PORT, settings.HUUVA_WEB_WORKERS
    )
    if name not in known:
        sys.exit(f"Unknown process {name!r}: one of {', '.join(known)}.")
    try:
        make_folders(settings.HUUVA_HOME, settings.STATIC_ROOT)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    os.execv(sys.executable, known[name])  # noqa: S606  (our own command, no shell)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
