"""The output of the processes of `make run`: whole lines, and warnings on the terminal."""

import os
from pathlib import Path

import pytest

from huuva.ops.start.process_logs import LineBatcher, ProcessLogs


def batches(*writes: bytes) -> list[bytes]:
    """What is read after each of these writes, and after the end of the pipe."""
    reading, writing = os.pipe()
    lines = LineBatcher(os.fdopen(reading, "rb", buffering=0))
    texts = []
    for data in writes:
        os.write(writing, data)
        texts.append(lines.read())
        assert not lines.at_end
    os.close(writing)
    texts.append(lines.read())
    assert lines.at_end
    lines.close()
    return texts


def test_lines_written_together_are_read_together() -> None:
    assert batches(b"one\ntwo\nthree\n") == [b"one\ntwo\nthree\n", b""]


def test_a_line_comes_whole_however_it_was_written() -> None:
    assert batches(b"one\ntw", b"o\n", b"thr", b"ee\n") == [b"one\n", b"two\n", b"", b"three\n", b""]


def test_the_rest_is_read_without_an_end_of_line() -> None:
    assert batches(b"one\nkilled in the mid") == [b"one\n", b"killed in the mid"]


def test_the_log_has_all_and_the_terminal_the_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = ProcessLogs(tmp_path)
    logs.width = 4
    lines = [
        '{"event":"request","level":"info"}',
        '{"event": "valkey_away", "level": "warning", "error": "ConnectionError"}',
        "a line\u2028with a separator that JSON leaves as it is",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in <module>',
        "ValueError: no",
    ]
    logs.write("web", "".join(f"{line}\n" for line in lines).encode())
    logs.write("web", b"ERROR of a server\n")
    logs.close()

    assert (tmp_path / "web.log").read_text().split("\n") == [*lines, "ERROR of a server", ""]
    assert capsys.readouterr().err.splitlines() == [
        "web  | WARNING valkey_away error=ConnectionError",
        "web  | ValueError: no",
        "web  | ERROR of a server",
    ]
