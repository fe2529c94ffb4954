"""How far a simulation is: a bar that stays in its line on a terminal, a line each tenth elsewhere."""

from __future__ import annotations

import shutil
from typing import Final, TextIO

WIDTH: Final = 24


class Progress:
    """`end` in simulated seconds."""

    def __init__(self, end: float, out: TextIO) -> None:
        self._end = max(end, 1.0)
        self._out = out
        self._bar = out.isatty()
        self._tenth = 0

    def show(self, second: float, told: str) -> None:
        part = min(second / self._end, 1.0)
        line = f"minute {second / 60:.0f} of {self._end / 60:.0f}: {told}"
        if self._bar:
            full = round(part * WIDTH)
            line = f"[{'█' * full}{'░' * (WIDTH - full)}] {line}"
            # A line as wide as the terminal would wrap, and \r could not go back.
            self._out.write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")
        elif int(part * 10) > self._tenth:
            self._tenth = int(part * 10)
            self._out.write(f"{line}\n")
        self._out.flush()

    def close(self) -> None:
        if self._bar:
            self._out.write("\r\x1b[K")
            self._out.flush()
