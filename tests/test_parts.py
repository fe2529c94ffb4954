"""Each part started by itself, in a home that nobody has used yet."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.background import ROOT, in_background, kill_group, wait_until
from tests.home import make_home, remove_home
from tests.live_stack import LiveStack
from tests.ports import free_port

PATIENCE_SECONDS = 90


class Part:
    def __init__(self, name: str, home: Path, stack: LiveStack) -> None:
        self.home = home / "new"
        self.port = free_port(following=1)
        self.log = home / "output.txt"
        # Settings other than those of the servers are the defaults.
        environment = {**stack.environment, "HUUVA_HOME": str(self.home), "HUUVA_PORT": str(self.port)}
        self.process = in_background(
            [sys.executable, "-m", "huuva.ops.processes", name], environment, self.log
        )

    def answers(self, port: int, path: str) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def says(self, text: str) -> bool:
        return text in self.log.read_text()


READY: dict[str, Callable[[Part], bool]] = {
    "web": lambda part: part.answers(part.port, "/readyz"),
    "live": lambda part: part.answers(part.port + 1, "/livez"),
    "worker": lambda part: part.says(" ready."),
    "beat": lambda part: any((part.home / "run").glob("beat-schedule*")),
}


@pytest.fixture
def home() -> Iterator[Path]:
    home = make_home()
    yield home
    remove_home(home)


@pytest.mark.parametrize("name", READY)
def test_a_part_starts_in_a_new_home(name: str, home: Path, live_stack: LiveStack) -> None:
    part = Part(name, home, live_stack)
    try:
        wait_until(lambda: READY[name](part), PATIENCE_SECONDS, part.log, part.process)
        part.process.terminate()
        assert part.process.wait(PATIENCE_SECONDS) in (0, -15)
    finally:
        kill_group(part.process)
    assert "Traceback" not in part.log.read_text()


def test_a_home_that_cannot_be_made_is_one_sentence(live_stack: LiveStack) -> None:
    environment = {**live_stack.environment, "HUUVA_HOME": "/proc/huuva", "HUUVA_SECRET_KEY": "x" * 50}
    done = subprocess.run(
        [sys.executable, "-m", "huuva.ops.processes", "beat"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "HUUVA_HOME" in done.stderr
    assert done.stderr.count("\n") == 1
