"""What the parts of `make run` write: in bundles, whole, and warnings on the terminal."""

import os
from pathlib import Path

import pytest
from honcho.printer import Message

from huuva.start.part_logs import Bundles, PartLogs


def bundles(*writes: bytes) -> list[bytes]:
    """What comes of these writes and the end of the pipe."""
    reading, writing = os.pipe()
    pipe = Bundles(os.fdopen(reading, "rb", buffering=0))
    found = []
    for data in writes:
        os.write(writing, data)
        if b"\n" in data:
            found.append(pipe.readline())
    os.close(writing)
    found += iter(pipe.readline, b"")
    pipe.close()
    return found


def test_lines_that_come_together_are_one_bundle() -> None:
    assert bundles(b"one\ntwo\nthree\n") == [b"one\ntwo\nthree\n"]


def test_a_line_comes_whole_however_it_was_written() -> None:
    assert bundles(b"one\ntw", b"o\n", b"thr", b"ee\n") == [b"one\n", b"two\n", b"three\n"]


def test_what_was_said_last_is_heard_without_an_end_of_line() -> None:
    assert bundles(b"one\nkilled in the mid") == [b"one\n", b"killed in the mid"]


def test_the_log_has_all_and_the_terminal_the_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = PartLogs(tmp_path)
    logs.width = 4
    lines = [
        '{"event":"request","level":"info"}',
        '{"event": "valkey_away", "level": "warning", "error": "ConnectionError"}',
        "a line\u2028with a separator that JSON leaves as it is",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in <module>',
        "ValueError: no",
    ]
    logs.write(Message("line", "".join(f"{line}\n" for line in lines).encode(), None, "web", None))
    logs.write(Message("line", b"ERROR of a server\n", None, "web", None))

    assert (tmp_path / "web.log").read_text().split("\n") == [*lines, "ERROR of a server", ""]
    assert capsys.readouterr().err.splitlines() == [
        "web  | WARNING valkey_away error=ConnectionError",
        "web  | ValueError: no",
        "web  | ERROR of a server",
    ]
