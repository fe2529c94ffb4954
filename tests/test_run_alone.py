"""Starts by an ordinary user, and those that can't be: each says in one sentence why."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.starts import ROOT, STOP_SECONDS, Start, home, owner

__all__ = ["home"]  # the fixture


@pytest.mark.parametrize("offset", [0, 1])
def test_a_taken_port_is_one_sentence(home: Path, offset: int) -> None:
    port = free_port(following=1)
    with socket.create_server(("127.0.0.1", port + offset)):
        start = Start(home, port)
        assert start.process.wait(STOP_SECONDS) == 2
    assert start.printed.startswith(f"Port {port + offset} on 127.0.0.1 is taken: ")
    assert "HUUVA_PORT" in start.printed
    assert start.printed.count("\n") == 1
    assert start.processes() == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HUUVA_PORT", "abc", "HUUVA_PORT must be a whole number from 1 to 65534, not 'abc'."),
        ("HUUVA_WEB_WORKERS", "0", "HUUVA_WEB_WORKERS must be a whole number from 1 to 64, not '0'."),
        ("HUUVA_DEBUG", "perhaps", "HUUVA_DEBUG must be true or false, not 'perhaps'."),
        ("DATABASE_URL", "mysql://db/x", "DATABASE_URL must start with postgres:// or postgresql://."),
        ("HUUVA_HOME", "/proc/huuva", "HUUVA_HOME"),
        ("HUUVA_HOST", "192.0.2.1", "HUUVA_HOST must be an address of this machine, not '192.0.2.1'"),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/huuva", "check DATABASE_URL."),
    ],
)
def test_a_wrong_variable_is_one_sentence(home: Path, name: str, value: str, sentence: str) -> None:
    environment = {**os.environ, "HUUVA_HOME": str(home), "HUUVA_PORT": str(free_port(following=1))}
    environment[name] = value
    done = subprocess.run(
        [sys.executable, "manage.py", "run"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_misspelt_variable_is_a_warning() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "HUUVA_PROT": "8000"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert (
        "Warning: HUUVA_PROT is not a setting of Huuva and has no effect. Did you mean HUUVA_PORT?"
        in done.stderr
    )


def test_an_old_python_is_one_sentence() -> None:
    code = (
        "import sys, runpy; sys.version_info = (3, 11, 9); runpy.run_path('manage.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "Huuva needs Python 3.12, 3.13 or 3.14; this is 3.11.\n"


def test_an_ordinary_user_can_start_it(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: the other tests of this page ran as an ordinary user already")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed: a start as an ordinary user was not tested")
    as_nobody = [setpriv, "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    able = subprocess.run([*as_nobody, sys.executable, "-c", "import django"], cwd=ROOT, capture_output=True)
    if able.returncode != 0:
        pytest.skip(f"the user nobody can't execute {sys.executable}: a start as that user was not tested")
    own = home / "own"
    own.mkdir()
    shutil.chown(own, "nobody", "nogroup")
    start = Start(own, free_port(following=1), as_nobody)
    start.wait_ready()
    assert start.paste_curl().startswith("HTTP/1.1 201")
    assert {owner(process) for process in start.processes()} - {""} == {"nobody"}
    assert start.stop() == 0
    assert start.processes() == []
