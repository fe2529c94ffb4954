"""deploy/environment.sh: which Python it takes, and what it says while it installs. The Pythons are stand-ins."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "deploy/environment.sh"
TOOLS = ("cat", "cksum", "chmod", "cp", "dirname", "grep", "id", "ls", "mkdir", "rm", "sh", "sleep")
# A Python that has the right version; another user can run it or not; pip says what pip says.
PYTHON = """#!/bin/sh
case "$*" in
*initgroups*) exit {usable} ;;
*--version*) echo "Python 3.13.{name}" ;;
*"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo {name} >.venv/made-with ;;
*"pip install"*)
    echo "Ignoring colorama: markers 'sys_platform == \\"win32\\"' don't match your environment"
    for package in a b c d; do echo "Collecting $package==1"; done
    echo "Installing collected packages: a, b, c, d"
    exit {pip} ;;
esac
"""
LOCK = "".join(f"{name}==1 \\\n    --hash=sha256:00\n" for name in ("a", "b", "c", "d", "colorama"))

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs for others")


class Project:
    """A folder with the script, a lock, and nothing on the search path but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        (folder / "deploy").mkdir()
        shutil.copy(SCRIPT, folder / "deploy")
        (folder / "requirements.txt").write_text(LOCK)
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name) or f"/bin/{name}")

    def python(self, command: str, name: str, *, usable: bool, pip: int = 0) -> None:
        file = self.bin / command
        file.write_text(PYTHON.format(name=name, usable=0 if usable else 1, pip=pip))
        file.chmod(0o755)

    def make(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "deploy/environment.sh", "requirements.txt"],
            cwd=self.folder,
            env={"PATH": str(self.bin), "HOME": str(self.folder), **environment},
            capture_output=True,
            text=True,
        )

    @property
    def made_with(self) -> str:
        file = self.folder / ".venv/made-with"
        return file.read_text().strip() if file.exists() else ""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_installation_says_how_far_it_is_and_is_done_once(project: Project) -> None:
    project.python("python3.13", "1", usable=True)
    result = project.make()
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "Making .venv with Python 3.13.1",
        "Installing requirements.txt, once (a minute or so)",
        *(f"  {count} of 4 packages fetched" for count in (1, 2, 3, 4)),
        "  Installing them",
    ]
    again = project.make()
    assert (again.returncode, again.stdout) == (0, "")


def test_installation_that_fails_is_tried_again(project: Project) -> None:
    project.python("python3.13", "1", usable=True, pip=7)
    failed = project.make()
    assert failed.returncode == 7
    assert "pip could not install requirements.txt" in failed.stderr
    assert project.make().returncode == 7


@only_root
def test_root_takes_a_python_that_all_can_run_first(project: Project) -> None:
    project.python("python3.13", "1", usable=False)
    project.python("python3.12", "2", usable=True)
    result = project.make()
    assert (result.returncode, project.made_with) == (0, "2")
    assert "Only root" not in result.stdout


@only_root
def test_root_takes_its_own_python_with_a_word_where_there_is_no_other(project: Project) -> None:
    for command in ("python3.13", "python3.14", "python3.12", "python3", "python"):
        project.python(command, "1", usable=False)
    result = project.make()
    assert result.returncode == 0
    if "Only root" not in result.stdout:
        pytest.skip("this machine has a Python for all, and it was taken")
    assert "SERVICE_USER=huuva sh deploy/environment.sh requirements.txt" in result.stdout


@only_root
def test_service_gets_a_python_that_its_user_can_run(project: Project) -> None:
    project.python("python3.13", "1", usable=False)
    project.python("python3.12", "2", usable=True)
    assert project.make(SERVICE_USER="nobody").returncode == 0
    assert project.made_with == "2"


@only_root
def test_an_environment_that_the_service_cannot_run_is_rebuilt(project: Project) -> None:
    project.python("python3.13", "1", usable=False)
    project.make()
    (project.folder / ".venv/made-with").write_text("before")
    shutil.copy(project.bin / "python3.13", project.folder / ".venv/bin/python")
    project.python("python3.12", "2", usable=True)
    result = project.make(SERVICE_USER="nobody")
    assert result.returncode == 0, result.stderr
    assert "nobody cannot run the Python of .venv" in result.stdout
    assert project.made_with == "2"


@only_root
def test_service_without_a_python_for_it_is_refused(project: Project) -> None:
    project.python("python3.13", "1", usable=False)
    refused = project.make(SERVICE_USER="nobody")
    if refused.returncode == 0:
        pytest.skip("this machine has a Python for all, and it was taken")
    assert refused.returncode == 1
    assert "There is no Python 3.12, 3.13 or 3.14 that nobody can run (python3.13 is root's alone)" in (
        refused.stderr
    )
    assert not (project.folder / ".venv").exists()


@only_root
def test_environment_stays_where_there_is_no_better_one(project: Project) -> None:
    project.python("python3.13", "1", usable=False)
    assert project.make(PYTHON="python3.13").returncode == 0
    before = project.made_with
    if project.make(SERVICE_USER="nobody").returncode == 0:
        pytest.skip("this machine has a Python for all, and it was taken")
    assert (before, project.made_with) == ("1", "1")


@only_root
def test_service_user_that_does_not_exist_is_named(project: Project) -> None:
    refused = project.make(SERVICE_USER="huuva-nobody")
    assert refused.returncode == 1
    assert "There is no user huuva-nobody" in refused.stderr


@only_root
def test_python_in_a_closed_folder_is_not_one_for_all(tmp_path: Path) -> None:
    """The check itself, with real Pythons: what `nobody` can run is tried by running it as nobody."""
    text = SCRIPT.read_text()
    function = text[text.index("usable_by() {") : text.index("candidates() {")]
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    system = "/usr/bin/python3"
    if not os.access(system, os.X_OK):
        pytest.skip(f"{system} is not there")

    def usable(*words: str) -> bool:
        call = f'{function}\nusable_by "$@"'
        return subprocess.run(["sh", "-c", call, "sh", *words]).returncode == 0

    (closed / "python").symlink_to(system)
    assert usable("nobody", system)
    assert usable("root", system, str(closed / "python"))
    assert not usable("nobody", system, str(closed / "python"))
