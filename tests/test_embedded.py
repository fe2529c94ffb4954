"""The embedded servers by themselves: started, found again, killed, and started by two at once."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from core.addresses import LONGEST_SOCKET_PATH, database_url, redis_url, socket_folder
from core.env import ConfigError
from huuva.ops import embedded
from huuva.ops.embedded.places import Account, open_path, prepare_home
from huuva.ops.embedded.postgres import ensure_postgres, stop_postgres
from huuva.ops.embedded.process import find
from huuva.ops.embedded.valkey import ensure_valkey, stop_valkey
from tests.home import kill_each, make_home, remove_home

# A program that uses the servers of a home until its input ends; it says when it has them.
USER = """
import sys
from pathlib import Path
from huuva.ops import embedded
with embedded.services(Path(sys.argv[1]), postgres=True, valkey=True, durable=False):
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    home = make_home()
    yield home
    remove_home(home)


def start_user(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def wait_up(user: subprocess.Popen[str]) -> None:
    assert user.stdout is not None
    assert user.stdout.readline() == "up\n"


def leave(user: subprocess.Popen[str]) -> None:
    user.communicate(timeout=60)
    assert user.returncode == 0


def servers(home: Path) -> list[psutil.Process]:
    return find("postgres", home / "postgres" / "data") + find("valkey-server", home / "valkey")


def asked[T](question: Callable[[psutil.Process], T], home: Path) -> set[T]:
    """What the servers answer; a backend that ends while we look (its client has just left) is left out."""
    answers = set()
    for process in servers(home):
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            answers.add(question(process))
    assert answers, "no server runs"
    return answers


def ensure_both(home: Path) -> None:
    prepare_home(home)
    ensure_postgres(home, durable=False)
    ensure_valkey(home)


def rows(home: Path) -> int:
    with psycopg.connect(database_url(home)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_they_start_answer_and_stop(home: Path) -> None:
    with embedded.services(home, postgres=True, valkey=True):
        assert rows(home) == 1
        assert redis.Redis.from_url(redis_url(home)).ping()
        with psycopg.connect(database_url(home)) as connection:
            shown = {
                name: connection.execute(f"SHOW {name}").fetchone()[0]  # type: ignore[index,call-overload]
                for name in ("fsync", "synchronous_commit", "listen_addresses", "server_encoding")
            }
        assert shown == {
            "fsync": "on",
            "synchronous_commit": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
        }
        assert all(stat.S_IMODE((home / name).stat().st_mode) == 0o700 for name in ("postgres", "valkey"))
        if os.geteuid() == 0:
            assert asked(lambda process: process.username(), home) == {"nobody"}
    assert servers(home) == []


def test_the_last_user_stops_them(home: Path) -> None:
    first, second = start_user(home), start_user(home)
    wait_up(first)
    wait_up(second)
    assert len(find("valkey-server", home / "valkey")) == 1
    leave(first)
    assert rows(home) == 1
    leave(second)
    assert servers(home) == []


def test_a_killed_user_leaves_servers_that_the_next_one_takes_over(home: Path) -> None:
    user = start_user(home)
    wait_up(user)
    rows(home)
    user.kill()
    user.communicate()
    before = {process.pid for process in servers(home)}
    with embedded.services(home, postgres=True, valkey=True, durable=False):
        assert {process.pid for process in servers(home)} >= {min(before)}
        assert rows(home) == 2
    assert servers(home) == []


@pytest.mark.parametrize("victims", ["all", "postmaster"])
def test_after_kill_9_they_start_again_with_the_data(home: Path, victims: str) -> None:
    ensure_both(home)
    assert rows(home) == 1
    doomed = servers(home)
    if victims == "postmaster":
        pid = int((home / "postgres/data/postmaster.pid").read_text().splitlines()[0])
        doomed = [psutil.Process(pid)]
    kill_each(doomed)
    ensure_both(home)
    assert rows(home) == 2


def test_stale_files_that_name_a_stranger_do_no_harm(home: Path) -> None:
    ensure_both(home)
    rows(home)
    pid_file = home / "postgres/data/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    stop_postgres(home)
    stop_valkey(home)
    # As after a restart of a container: the number belongs to another living process now.
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    (home / "postgres/.s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    (home / "valkey/valkey.sock").write_text("")
    ensure_both(home)
    assert rows(home) == 2


def test_a_first_start_that_died_halfway_is_done_again(home: Path) -> None:
    (home / "postgres/data.new/base").mkdir(parents=True)
    ensure_both(home)
    assert rows(home) == 1


def test_a_server_whose_data_was_deleted_gives_way(home: Path) -> None:
    ensure_both(home)
    old = find("postgres", home / "postgres" / "data")
    subprocess.run(["rm", "-rf", str(home / "postgres"), str(home / "valkey")], check=True)
    ensure_both(home)
    assert rows(home) == 1
    assert not any(process.is_running() for process in old)


def test_long_and_odd_paths_get_a_short_socket_folder(home: Path) -> None:
    deep = home / ("a folder with a long name, spaces and ä " * 3)
    assert len(str(socket_folder(deep, deep / "postgres"))) < LONGEST_SOCKET_PATH
    assert socket_folder(home, home / "postgres") == home / "postgres"
    deep.mkdir()
    deep.chmod(0o711)
    try:
        ensure_both(deep)
        assert rows(deep) == 1
    finally:
        remove_home(deep)
        for name in ("postgres", "valkey"):
            socket_folder(deep, deep / name).rmdir()


def test_somebody_elses_folder_is_refused(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to somebody else: not tested as an ordinary user")
    (home / "valkey").mkdir()
    daemon = pwd.getpwnam("daemon")
    os.chown(home / "valkey", daemon.pw_uid, daemon.pw_gid)
    (home / "postgres").symlink_to(home / "valkey")
    with pytest.raises(ConfigError, match=r"postgres belongs to another user"):
        ensure_both(home)


def test_only_missing_traverse_bits_are_added_and_reported(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed, target = home / "closed", home / "closed" / "open" / "data"
    target.mkdir(parents=True)
    closed.chmod(0o700)
    target.chmod(0o700)
    open_path(target, Account("somebody", 64_000, 64_000))
    assert stat.S_IMODE(closed.stat().st_mode) == 0o701
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    messages = capsys.readouterr().err.splitlines()
    assert len(messages) == 1
    assert f"pass through {closed} " in messages[0]
    open_path(target, Account("somebody", 64_000, 64_000))
    assert capsys.readouterr().err == ""


def test_a_database_of_another_version_is_reported(home: Path) -> None:
    ensure_both(home)
    stop_postgres(home)
    (home / "postgres/data/PG_VERSION").write_text("15\n")
    with pytest.raises(ConfigError, match="was made by PostgreSQL 15, this is 18"):
        ensure_postgres(home)


def test_ctrl_c_in_the_terminal_does_not_reach_them(home: Path) -> None:
    user = start_user(home)
    wait_up(user)
    assert os.getsid(user.pid) not in asked(lambda process: os.getsid(process.pid), home)
    user.send_signal(signal.SIGINT)
    user.communicate(timeout=60)
    assert servers(home) == []
