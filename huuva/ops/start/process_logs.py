"""The output of the processes of `make run`: a log file for each, and warnings on the terminal."""

from __future__ import annotations

import logging.handlers
import os
import re
import sys
from pathlib import Path
from typing import IO, Final

import orjson

LOG_BYTES: Final = 10 * 1024 * 1024
LOG_FILES: Final = 3
LEVEL: Final = re.compile(r"\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
SHOWN: Final = frozenset({"WARNING", "WARN", "ERROR", "CRITICAL", "FATAL"})
SHOWN_LENGTH: Final = 300
# How long output is gathered before it is written.
GATHER_SECONDS: Final = 0.05
MOST_AT_ONCE: Final = 1 << 20
# Fields of a log line that the terminal leaves out; the process's own log has them.
NOT_SHOWN: Final = frozenset({"level", "event", "timestamp", "logger", "exception"})


class LineBatcher:
    """Reads whole lines from a pipe, all available ones at once; at its end, the rest."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._rest = b""
        self.at_end = False
        os.set_blocking(pipe.fileno(), False)

    def fileno(self) -> int:
        return self._pipe.fileno()

    def read(self) -> bytes:
        """Doesn't wait: empty if there is no whole line."""
        data = self._rest
        while len(data) < MOST_AT_ONCE:
            try:
                more = os.read(self.fileno(), MOST_AT_ONCE)
            except BlockingIOError:
                break
            if not more:
                self.at_end, self._rest = True, b""
                return data
            data += more
        whole, newline, self._rest = data.rpartition(b"\n")
        return whole + newline

    def close(self) -> None:
        self._pipe.close()


class ProcessLogs:
    """Writes every line to the process's own log, warnings and worse also to the terminal."""

    def __init__(self, folder: Path) -> None:
        self.width = 0  # of the longest name
        self.folder = folder
        self._files: dict[str, logging.Handler] = {}
        self._in_traceback: set[str] = set()

    def write(self, name: str, lines: bytes) -> None:
        text = lines.decode("utf-8", "replace").removesuffix("\n")
        self._file(name).emit(logging.makeLogRecord({"msg": "%s", "args": (text,)}))
        for line in text.split("\n"):
            shown = self._shown(name, line)
            if shown is not None:
                sys.stderr.write(f"{name.ljust(self.width)} | {shown}\n")

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _file(self, name: str) -> logging.Handler:
        if name not in self._files:
            path = self.folder / f"{name}.log"
            self._files[name] = logging.handlers.RotatingFileHandler(
                path, maxBytes=LOG_BYTES, backupCount=LOG_FILES
            )
        return self._files[name]

    def _shown(self, name: str, line: str) -> str | None:
        """The line as the terminal shows it, if at all: only the last line of a traceback, which the log has whole."""
        try:
            event = orjson.loads(line) if line.startswith("{") else None
        except ValueError:
            event = None
        if isinstance(event, dict):
            level = str(event.get("level", "")).upper()
            if level not in SHOWN:
                return None
            rest = " ".join(f"{key}={value}" for key, value in event.items() if key not in NOT_SHOWN)
            return " ".join(f"{level} {event.get('event', '')} {rest}".split())[:SHOWN_LENGTH]
        if line.startswith("Traceback"):
            self._in_traceback.add(name)
            return None
        if name in self._in_traceback:
            if line.startswith((" ", "\t")):
                return None
            self._in_traceback.discard(name)
            return line
        level_word = LEVEL.search(line)
        return line if level_word and level_word[1] in SHOWN else None
