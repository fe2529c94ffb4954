"""`make demo`: a simulated rush beside the processes of `make run`. When it is over, everything else keeps running."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Final

from core.env import PROJECT_ROOT, ConfigError
from huuva.ops.simulation.options import add_options, conflict_of
from huuva.ops.start.orphans import TOKEN_VARIABLE, ProcessRegistry

STOP_SECONDS: Final = 20


def demo_options(words: Sequence[str]) -> list[str] | None:
    """What follows `manage.py run`: None for nothing, after --demo the options of simulate.

    Wrong ones are refused here: otherwise everything would start before the simulation could refuse them.
    """
    if not words:
        return None
    if words[0] != "--demo":
        raise ConfigError(f"manage.py run takes --demo and after it options of simulate, not {words[0]!r}.")
    parser = ArgumentParser(prog="manage.py run --demo", description="Start everything and a simulated rush.")
    add_options(parser)
    conflict = conflict_of(vars(parser.parse_args(words[1:])))
    if conflict:
        raise ConfigError(conflict)
    return [*words[1:]]


class Demo:
    """The process of the simulation. ProcessManager doesn't run it: it would restart it when it ends."""

    def __init__(self, options: Sequence[str], registry: ProcessRegistry) -> None:
        self._options = options
        self._registry = registry
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches it through us, once. It still writes its progress bar to the terminal.
        self._process = subprocess.Popen(
            ["nice", "-n", "5", sys.executable, str(PROJECT_ROOT / "manage.py"), "simulate", *self._options],
            env={**os.environ, TOKEN_VARIABLE: self._registry.token},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._registry.add(self._process.pid)

    def interrupt(self) -> None:
        """Asks it to end, without waiting. Safe in a signal handler."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    def stop(self) -> None:
        """Ends it and waits, so that its last line comes before the shell's prompt."""
        self.interrupt()
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
