"""The running parts of `make run`: their commands, their logs, and honcho that keeps them together."""

from __future__ import annotations

import logging.handlers
import os
import re
import select
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import orjson
from honcho.manager import Manager
from honcho.printer import Message
from honcho.process import Popen, Process

from huuva.env import ConfigError
from huuva.leftovers import TOKEN_VARIABLE, Family

LOG_BYTES: Final = 10 * 1024 * 1024
LOG_FILES: Final = 3
LEVEL: Final = re.compile(r"\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
SHOWN: Final = frozenset({"WARNING", "WARN", "ERROR", "CRITICAL", "FATAL"})
# These give way where processors are few, at the start above all: people wait for web.
BACKGROUND: Final = frozenset({"worker", "beat"})
SHOWN_LENGTH: Final = 300
# What a part writes is gathered for so long.
GATHER_SECONDS: Final = 0.05
MOST_AT_ONCE: Final = 1 << 20
# Fields of a log line that the terminal leaves out; the part's own log has them.
NOT_SHOWN: Final = frozenset({"level", "event", "timestamp", "logger", "exception"})
# A worker's threads share one interpreter, so more of them add waiting, not work; each holds a database connection.
WEB_THREADS: Final = 4


def commands(home: Path, host: str, port: int, workers: int) -> dict[str, list[str]]:
    """What to run for each part."""
    granian = [sys.executable, "-m", "granian", "--host", host, "--log-level", "warning", "--no-ws"]
    # A proxy in front speaks HTTP/2 with clients, and HTTP/1.1 with us.
    granian += ["--http", "1"]
    # A worker that dies is replaced; one that dies again within seconds ends its part, and that ends all.
    granian += ["--respawn-failed-workers", "--respawn-interval", "0.2"]
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "huuva"]
    return {
        "web": [
            *granian,
            *("--interface", "wsgi", "--port", str(port), "--workers", str(workers)),
            *("--blocking-threads", str(WEB_THREADS), "--blocking-threads-idle-timeout", "600"),
            *("--workers-kill-timeout", "3", "huuva.wsgi:application"),
        ],
        "live": [
            *granian,
            *("--interface", "asgi", "--port", str(port + 1), "--workers", "1"),
            # Without these two numbers open streams keep new ones out; without the timeout they keep it running.
            *("--backlog", "16384", "--backpressure", "16384"),
            *("--workers-kill-timeout", "2", "huuva.asgi:application"),
        ],
        "worker": [
            *celery,
            # One place is taken by the loop of deliveries for good.
            *("worker", "--loglevel", "INFO", "--concurrency", "3", "--without-gossip", "--without-mingle"),
        ],
        "beat": [
            *celery,
            *("beat", "--loglevel", "INFO", "--pidfile", ""),
            *("--schedule", str(home / "run" / "beat-schedule")),
        ],
    }


class PartsManager(Manager):
    """honcho, with two changes: a second Ctrl-C is harder, and each started part is noted on disk."""

    def __init__(
        self,
        home: Path,
        family: Family,
        on_started: Callable[[], None],
        on_ending: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(printer=PartLogs(home / "log"))
        self._process_ctor = _Part
        self._family = family
        self._on_started = on_started
        self._on_ending = on_ending
        self.interrupted = False

    def add_part(self, name: str, command: list[str]) -> None:
        env = {**os.environ, "PYTHONUNBUFFERED": "1", TOKEN_VARIABLE: self._family.token}
        if name in BACKGROUND:
            command = ["nice", "-n", "5", *command]
        # exec: the shell in between would swallow signals.
        self.add_process(name, f"exec {shlex.join(command)}", env=env)

    def failed_part(self) -> tuple[str, int] | None:
        """The part that ended by itself, and its exit code."""
        return self._printer.first_stopped if not self.interrupted else None

    def _start(self) -> None:
        super()._start()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        self._on_started()

    def terminate(self) -> None:
        if self._on_ending is not None:
            self._on_ending()  # first: it uses the parts
        super().terminate()

    def _on_signal(self, number: int, frame: Any) -> None:
        if self.interrupted:
            self.kill()
            return
        self.interrupted = True
        self.returncode = 0
        self.terminate()

    def _system_print(self, data: str) -> None:
        started = re.fullmatch(r"\S+ started \(pid=(\d+)\)\n", data)
        if started:
            self._family.note(int(started[1]))
        super()._system_print(data)


class _Part(Process):
    """honcho's, but what the part writes comes as bundles of lines: each message goes through two processes more, and
    web writes a line for each order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = _started


def _started(*args: Any, **kwargs: Any) -> Popen:
    child = Popen(*args, **kwargs)
    child.stdout = _Bundles(child.stdout)
    return child


class _Bundles:
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


def main(name: str) -> None:
    """Becomes that part: what a container runs."""
    try:
        from huuva import settings
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    known = commands(
        settings.HUUVA_HOME, settings.HUUVA_HOST, settings.HUUVA_PORT, settings.HUUVA_WEB_WORKERS
    )
    if name not in known:
        sys.exit(f"Unknown part {name!r}: one of {', '.join(known)}.")
    os.execv(sys.executable, known[name])  # noqa: S606  (our own command, no shell)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
