"""Moments tell before from after, between all processes of a machine."""

import subprocess
import sys

from core.monotonic import is_stamp, stamp


def parts(text: str) -> tuple[str, int]:
    clock, microseconds = text.split(".")
    return clock, int(microseconds)


def test_processes_of_one_machine_share_the_clock() -> None:
    before = parts(stamp())
    command = [sys.executable, "-c", "from core.monotonic import stamp; print(stamp())"]
    other = parts(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    after = parts(stamp())

    assert before[0] == other[0] == after[0]
    assert before[1] < other[1] < after[1]


def test_only_stamps_are_taken_for_stamps() -> None:
    assert is_stamp(stamp())
    for wrong in ("", "7", "x.1", "0123456789ab.", "0123456789ab.7\n", 7, None, ["0123456789ab.7"]):
        assert not is_stamp(wrong)
