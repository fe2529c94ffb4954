"""`make run`: starts everything, shows where it is, and ends everything on Ctrl-C."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.error import URLError
from urllib.request import urlopen

from core.env import ConfigError
from core.home import make_folder
from huuva.ops import embedded
from huuva.ops.embedded.places import ServiceError, prepare_home
from huuva.ops.start.demo import Demo, demo_options

if TYPE_CHECKING:
    from huuva.ops.start.manager import ProcessManager

READY_SECONDS: Final = 60
OPEN_FILES: Final = 65536  # live holds a file for each screen


def run(words: Sequence[str] = ()) -> int:
    """Runs until Ctrl-C (exit code 0) or until a process dies too often (1). Raises ConfigError and ServiceError.

    `words` are those after `manage.py run`: none, or --demo and options of simulate.
    """
    start = time.monotonic()
    demo = demo_options(words)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huuva.settings")
    from huuva import settings

    for sentence in settings.env.unknown():
        print(f"Warning: {sentence}", file=sys.stderr)
    # Until ProcessManager takes over, both signals unwind through the `with` blocks below.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with _only_one(settings.HUUVA_HOME):
            return _run(settings, demo, start)
    except KeyboardInterrupt:
        return 0


def _run(settings: Any, demo: list[str] | None, start: float) -> int:
    from huuva.ops.start.orphans import ProcessRegistry

    home, host, port = settings.HUUVA_HOME, settings.HUUVA_HOST, settings.HUUVA_PORT
    registry = ProcessRegistry(home)
    orphans = registry.end_orphans()
    if orphans:
        print(f"Ended {orphans} processes of an earlier start that was killed.", file=sys.stderr)
    check_port(host, port, "HUUVA_PORT")
    check_port(host, port + 1, "HUUVA_PORT (live takes the port after it)")
    _raise_file_limit()
    try:
        with embedded.services(home, **embedded.wanted(settings), watch=True):
            first = _prepare(settings)
            return _supervise(settings, registry, first, demo, start)
    finally:
        registry.end()


def _prepare(settings: Any) -> Any:
    """Migrations and the first data."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import OperationalError, connections

    from huuva.ops.first_data import make_first_data

    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        reason = " ".join(str(error).split())
        raise ServiceError(f"The database does not let us in ({reason}): check DATABASE_URL.") from None
    first = make_first_data(settings.HUUVA_HOME)
    _warn_without_cache()
    # It may be empty, but WhiteNoise warns in each worker if it is missing.
    make_folder(settings.STATIC_ROOT)
    connections.close_all()  # this process needs it no more
    return first


def _warn_without_cache() -> None:
    from django.core.cache import cache

    try:
        cache.get("start")
    except Exception as error:  # noqa: BLE001  (whatever the client library raises, orders are taken without it)
        print(
            f"Warning: REDIS_URL does not answer ({error}); orders are taken, but rate limits and tasks wait for it.",
            file=sys.stderr,
        )


def _supervise(settings: Any, registry: Any, first: Any, demo: list[str] | None, start: float) -> int:
    from huuva.ops.processes import commands
    from huuva.ops.start.box import box
    from huuva.ops.start.manager import ProcessManager

    home, host, port = settings.HUUVA_HOME, settings.HUUVA_HOST, settings.HUUVA_PORT
    addresses = [f"{origin(host, port)}/api/health", f"{origin(host, port + 1)}/livez"]

    def announce() -> None:
        if not all(_wait_for(address, home, manager) for address in addresses):
            return  # everything ends
        print(box(origin(host, port), first, time.monotonic() - start), flush=True)
        if rush is not None:
            rush.start()

    def start_announcing() -> None:
        threading.Thread(target=announce, daemon=True).start()

    rush = None if demo is None else Demo(demo, registry)
    manager = ProcessManager(home, registry, start_announcing, rush.interrupt if rush else None)
    for name, command in commands(home, host, port, settings.HUUVA_WEB_WORKERS).items():
        manager.add_process(name, command)
    manager.loop()
    if rush is not None:
        rush.stop()
    failed = manager.failed_process()
    if failed:
        name, code = failed
        raise ProcessDied(
            f"{name} ended again and again, the last time with code {code}, so everything was stopped: "
            f"see {home / 'log' / name}.log."
        )
    return 0


class ProcessDied(ServiceError):
    """A process died again and again."""

    exit_code = 1


def origin(host: str, port: int) -> str:
    """The address for browsers on this machine of a server that listens on that host."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104  (only compared)
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_port(host: str, port: int, variable: str) -> None:
    """Raises ConfigError if the port can't be used."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the server does: closing connections of an earlier start don't matter.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"Port {port} on {host} is taken: stop what uses it, or change {variable}."
            ) from None
        if error.errno == errno.EACCES:
            raise ConfigError(f"Port {port} needs rights that we don't have: change {variable}.") from None
        raise ConfigError(
            f"HUUVA_HOST must be an address of this machine, not {host!r} ({error.strerror})."
        ) from None


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Two starts in one home would end each other's processes."""
    folder = prepare_home(home) / "run"
    folder.mkdir(exist_ok=True)
    # A record lock: it ends with this process however that dies, and forked children don't hold it.
    lock = os.open(folder / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise ConfigError(
            f"Huuva already runs from {home}: stop it first, or set HUUVA_HOME elsewhere."
        ) from None
    try:
        yield
    finally:
        os.close(lock)


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _wait_for(address: str, home: Path, manager: ProcessManager) -> bool:
    """Until it answers; false if everything ends first. A busy machine may take long: it is reported once."""
    late_at = time.monotonic() + READY_SECONDS
    while not manager.ending:
        try:
            with urlopen(address, timeout=5) as answer:  # noqa: S310  (our own address)
                if answer.status == 200:
                    return True
        except (URLError, OSError):
            time.sleep(0.05)
        if time.monotonic() > late_at:
            print(f"No answer from {address} after {READY_SECONDS} s: see {home / 'log'}.", file=sys.stderr)
            late_at = float("inf")
    return False


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
