"""What the commands `make chaos` and `make attack` share: options, a home of the run's own, messages and logs."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from core.env import read_dotenv
from tests.background import ROOT
from tests.chaos.stack import use_home
from tests.figures import FOLDER
from tests.home import make_home, remove_home, remove_leftovers
from tests.ports import free_port

_STARTED = time.monotonic()


def parser(module: str, description: str | None, names: Iterable[str]) -> argparse.ArgumentParser:
    """With the options that both commands have. `names`: of the faults or attacks."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument(
        "--only", action="append", choices=list(names), help="this one only; may be repeated, in this order"
    )
    parser.add_argument("--port", type=int, help="of web; live takes the next one (default: a free one)")
    parser.add_argument("--not-durable", action="store_true", help="PostgreSQL waits for no disk: quicker")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables, write no file")
    return parser


@contextmanager
def own_home() -> Iterator[Path]:
    """A new HUUVA_HOME; whatever runs in it ends with the block."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        if read_dotenv(ROOT / ".env").get(name):
            sys.exit(f"This command needs servers of its own: remove {name} from .env first.")
    remove_leftovers()
    home = make_home()
    try:
        yield home
    finally:
        remove_home(home)


def use_settings(home: Path, options: argparse.Namespace) -> None:
    use_home(home, options.port or free_port(following=1))


def print_progress(text: str) -> None:
    sys.stderr.write(f"{elapsed():6.1f} s  {text}\n")


def elapsed() -> float:
    """Seconds since the command started."""
    return time.monotonic() - _STARTED


def keep_logs(home: Path, folder: str) -> Path:
    """Copies the logs of all processes to a folder that the next run replaces."""
    path = FOLDER / folder
    shutil.rmtree(path, ignore_errors=True)
    return Path(shutil.copytree(home / "log", path))


def run(main: Callable[[], int]) -> None:
    """Exits with what `main` returns. SIGTERM ends it like Ctrl-C, so that its servers are stopped."""
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
