"""The progress of a simulation: a bar on a terminal, elsewhere a line for each tenth."""

from __future__ import annotations

import shutil
from typing import Final, TextIO

WIDTH: Final = 24


class Progress:
    """`end` in simulated seconds, or in another unit that is counted."""

    def __init__(self, end: float, out: TextIO, unit: str = "minute", size: float = 60) -> None:
        self._end = max(end, 1.0)
        self._unit, self._size = unit, size
        self._out = out
        self._bar = out.isatty()
        self._tenth = 0

    def show(self, second: float, text: str) -> None:
        share = min(second / self._end, 1.0)
        line = f"{self._unit} {second / self._size:,.0f} of {self._end / self._size:,.0f}: {text}"
        if self._bar:
            full = round(share * WIDTH)
            line = f"[{'█' * full}{'░' * (WIDTH - full)}] {line}"
            # A line as wide as the terminal would wrap, and \r could not return to its start.
            self._out.write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")
        elif int(share * 10) > self._tenth:
            self._tenth = int(share * 10)
            self._out.write(f"{line}\n")
        self._out.flush()

    def close(self) -> None:
        if self._bar:
            self._out.write("\r\x1b[K")
            self._out.flush()
