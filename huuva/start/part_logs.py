"""What the parts of `make run` write: gathered into bundles, kept in a log of each part, warnings on the terminal."""

from __future__ import annotations

import logging.handlers
import os
import re
import select
import sys
import time
from pathlib import Path
from typing import IO, Final

import orjson
from honcho.printer import Message

LOG_BYTES: Final = 10 * 1024 * 1024
LOG_FILES: Final = 3
LEVEL: Final = re.compile(r"\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
SHOWN: Final = frozenset({"WARNING", "WARN", "ERROR", "CRITICAL", "FATAL"})
SHOWN_LENGTH: Final = 300
# What a part writes is gathered for so long.
GATHER_SECONDS: Final = 0.05
MOST_AT_ONCE: Final = 1 << 20
# Fields of a log line that the terminal leaves out; the part's own log has them.
NOT_SHOWN: Final = frozenset({"level", "event", "timestamp", "logger", "exception"})


class Bundles:
    """A pipe whose `readline` gives all whole lines of a moment; what is left at its end, and then nothing."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._rest = b""

    def readline(self) -> bytes:
        while True:
            select.select([self._pipe], [], [])
            time.sleep(GATHER_SECONDS)
            data = os.read(self._pipe.fileno(), MOST_AT_ONCE)
            if not data:
                rest, self._rest = self._rest, b""
                return rest
            whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
            if newline:
                return whole + newline

    def close(self) -> None:
        self._pipe.close()


class PartLogs:
    """honcho's printer: every line goes into the part's own log, warnings and worse to the terminal too."""

    def __init__(self, folder: Path) -> None:
        self.width = 0  # honcho sets it to the longest name
        self.folder = folder
        self.first_stopped: tuple[str, int] | None = None
        self._files: dict[str, logging.Handler] = {}
        self._in_traceback: set[str] = set()

    def write(self, message: Message) -> None:
        data = message.data
        text = (data.decode("utf-8", "replace") if isinstance(data, bytes) else data).removesuffix("\n")
        if message.name != "system":
            self._file(message.name).emit(logging.makeLogRecord({"msg": "%s", "args": (text,)}))
        for line in text.split("\n"):
            if message.name == "system":
                self._note_stop(line)
                continue
            shown = self._shown(message.name, line)
            if shown is not None:
                sys.stderr.write(f"{message.name.ljust(self.width)} | {shown}\n")

    def _note_stop(self, line: str) -> None:
        stopped = re.fullmatch(r"(\S+) stopped \(rc=(-?\d+)\)", line)
        if stopped and self.first_stopped is None:
            self.first_stopped = (stopped[1], int(stopped[2]))

    def _file(self, name: str) -> logging.Handler:
        if name not in self._files:
            path = self.folder / f"{name}.log"
            self._files[name] = logging.handlers.RotatingFileHandler(
                path, maxBytes=LOG_BYTES, backupCount=LOG_FILES
            )
        return self._files[name]

    def _shown(self, name: str, line: str) -> str | None:
        """The line as the terminal shows it, if at all: of a traceback only the last line, the log has it whole."""
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
        found = LEVEL.search(line)
        return line if found and found[1] in SHOWN else None
