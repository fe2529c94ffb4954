"""`manage.py run` as a user meets it: started, used, stopped, killed, and started wrongly."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from tests.home import kill_each
from tests.ports import free_port
from tests.starts import (
    STOP_SECONDS,
    Start,
    command_line,
    kill_all,
    own_home,
    place_of,
    received,
    serves,
    wait_for,
    web_workers,
)


@pytest.fixture(scope="module")
def kept_home() -> Iterator[Path]:
    """The home that many tests start from, one after the other: a first start costs seconds, further ones less."""
    with own_home() as home:
        yield home


@pytest.fixture(scope="module")
def starts() -> list[Start]:
    """Those from the kept home so far."""
    return []


@pytest.fixture
def running(kept_home: Path, starts: list[Start]) -> Start:
    """A start from the kept home that is ready: the latest one, if it still runs."""
    if not starts or starts[-1].process.poll() is not None:
        starts.append(Start(kept_home, free_port(following=1)))
        starts[-1].wait_ready()
    return starts[-1]


def test_two_starts_keep_the_data_and_leave_nothing_running(kept_home: Path) -> None:
    port = free_port(following=1)
    first = Start(kept_home, port)
    first.wait_ready()
    assert first.paste_curl().startswith("HTTP/1.1 201")
    assert first.paste_curl().startswith("HTTP/1.1 201")
    with urlopen(f"http://127.0.0.1:{port + 1}/livez", timeout=60) as answer:
        assert answer.status == 200
    login = re.search(r"manager / (\S+)", first.printed)
    assert login
    # Warnings of healthy parts would drown the box. Those until the stop: a worker of web that is still starting by then,
    # on a busy machine, is rightly reported as killed.
    assert [line for line in first.printed.splitlines() if " | " in line] == []
    assert first.stop() == 0
    assert first.processes() == []

    second = Start(kept_home, port)
    second.wait_ready()  # how long that takes: `make bench ARGS="--only start"`
    assert f"manager / {login[1]}" in second.printed
    assert received(second) == 2
    assert second.paste_curl().startswith("HTTP/1.1 201")
    third = Start(kept_home, free_port(following=1), output="third.txt")
    assert third.process.wait(STOP_SECONDS) == 2
    assert (
        third.printed == f"Huuva already runs from {kept_home}: stop it first, or set HUUVA_HOME elsewhere.\n"
    )
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(STOP_SECONDS) == 0
    assert second.processes() == []
    secrets = ("first-login.json", "first-key.json", "secret-key")
    assert {(kept_home / name).stat().st_mode & 0o777 for name in secrets} == {0o600}


def test_a_start_after_everything_was_killed_is_clean(running: Start, starts: list[Start]) -> None:
    before = received(running)
    assert running.paste_curl().startswith("HTTP/1.1 201")
    kill_all(running)
    assert running.processes() == []
    again = Start(running.home, running.port)
    starts.append(again)  # the next tests use it, and stop it
    again.wait_ready()
    assert received(again) == before + 1
    assert again.paste_curl().startswith("HTTP/1.1 201")


def test_a_web_worker_that_dies_is_replaced(running: Start) -> None:
    serves(running)
    children = web_workers(running)
    children[0].kill()
    wait_for(lambda: len({process.pid for process in web_workers(running)} - {children[0].pid}) == 2, running)
    assert running.paste_curl().startswith("HTTP/1.1 201")


@pytest.mark.parametrize("server", ["postgres", "valkey-server"])
def test_an_embedded_server_that_dies_is_started_again(running: Start, server: str) -> None:
    serves(running)
    killed = [
        process
        for process in psutil.process_iter()
        if process.name() == server and str(running.home) in place_of(process)
    ]
    assert killed
    kill_each(killed)
    psutil.wait_procs(killed, timeout=STOP_SECONDS)
    serves(running)


def test_after_all_this_it_still_stops_in_order(running: Start) -> None:
    assert running.stop() == 0
    assert running.processes() == []


def test_a_start_after_the_supervisor_alone_was_killed_is_clean(running: Start) -> None:
    before = received(running)
    serves(running)
    old = running.processes()
    running.process.kill()
    running.process.wait(STOP_SECONDS)
    again = Start(running.home, running.port)
    again.wait_ready()
    assert re.match(r"Ended \d+ processes of an earlier start that was killed\.\n", again.printed)
    servers = ("postgres", "valkey-server")
    assert [process for process in old if process.is_running() and process.name() not in servers] == []
    assert received(again) == before + 1
    assert again.paste_curl().startswith("HTTP/1.1 201")
    assert again.stop() == 0
    assert again.processes() == []


@pytest.mark.parametrize("name", ["web", "live", "worker", "beat"])
def test_a_part_that_dies_is_started_again(running: Start, name: str) -> None:
    serves(running)
    killed = main_process(running, name)
    assert killed is not None
    killed.kill()
    wait_for(lambda: f"{name} ended with code -9: it is started again.\n" in running.printed, running)
    wait_for(lambda: main_process(running, name) not in (None, killed), running)
    serves(running)
    assert not killed.is_running()


def test_a_part_that_dies_again_and_again_stops_all_and_is_named(running: Start) -> None:
    serves(running)
    dead: set[int] = set()
    while running.process.poll() is None:
        beat = main_process(running, "beat")
        if beat is not None and beat.pid not in dead:
            dead.add(beat.pid)
            with suppress(psutil.NoSuchProcess):
                beat.kill()
        time.sleep(0.02)
    assert running.process.returncode == 1
    log = running.home / "log/beat.log"
    sentence = "beat ended again and again, the last time with code -9, so everything was stopped"
    assert running.printed.endswith(f"{sentence}: see {log}.\n")
    assert running.processes() == []


# What the command line of each part's first process holds.
WORDS = {
    "web": "huuva.wsgi:application",
    "live": "huuva.asgi:application",
    "worker": "worker",
    "beat": "beat",
}


def main_process(start: Start, name: str) -> psutil.Process | None:
    """The process of that part which the start itself has started, if it runs now."""
    for process in start.processes():
        with suppress(psutil.NoSuchProcess):
            words = command_line(process)
            if WORDS[name] in words and "nice" not in words[0] and process.ppid() == start.process.pid:
                return process
    return None
