"""`make demo`: a rush beside everything else, which goes on without it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.ports import free_port
from tests.starts import Start, home, wait_for

__all__ = ["home"]  # the fixture


def test_the_demo_ends_and_everything_else_goes_on(home: Path) -> None:
    words = ("--demo", "--minutes", "3", "--speed", "600", "--seed", "1")
    start = Start(home, free_port(following=1), words=words)
    wait_for(lambda: "Simulated in" in start.printed, start)
    match = re.search(r"Simulated in \d+ s: (\d+) orders, \d+ moves, 0 refusals, 0 errors", start.printed)
    assert match and int(match[1]) > 0
    assert start.paste_curl().startswith("HTTP/1.1 201")
    assert start.stop() == 0
    assert start.processes() == []
    # A busy machine may have been behind the plan: that is no warning of a part.
    assert re.search(r"Simulated in \d+ s: .* 0 errors[^\n]*\.\n$", start.printed)


def test_stopping_stops_the_rush_too(home: Path) -> None:
    start = Start(home, free_port(following=1), words=("--demo", "--rate", "600"))
    wait_for(lambda: "Simulating 60 minutes" in start.printed, start)
    assert start.stop() == 0
    assert start.processes() == []
    assert re.search(r"Simulated in \d+ s: .* 0 errors[^\n]*\.\n$", start.printed)
