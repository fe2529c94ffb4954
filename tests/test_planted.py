"""The search for customers' data and secrets finds them, wherever they are written."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests import planted

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "t" * 43


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (json.dumps({"event": "x", "path": "/api/orders", "name": planted.NAME}), "name"),
        (f"duplicate key: ({planted.PHONE.removeprefix('+')}, …)", "phone"),
        ('{"error": "Failing row contains (Planted-7c1f street 1)"}', "address"),
        ("authorization: Bearer huuva_ab12cd_0123456789abcdefABCDEF", "API key"),
        ("signing with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "webhooks"),
        (f'{{"path": "/display/pair/{TOKEN}"}}', "pairs a screen"),
        (f"GET /live/streams?token={TOKEN}.{TOKEN}", "event stream"),
        (f"login failed: {planted.PASSWORDS[0]}", "password"),
        ('{"customer": "+358400000123"}', "phone"),
    ],
)
def test_what_must_not_be_written_is_found_with_file_and_line(line: str, what: str) -> None:
    # A folder that is gone when the run itself is searched.
    with tempfile.TemporaryDirectory() as home:
        log = Path(home) / "log" / "web.log"
        log.parent.mkdir()
        log.write_text(f"all is well\n{line}\n")
        (Path(home) / "postgres" / "data").mkdir(parents=True)
        (Path(home) / "postgres" / "data" / "PG_VERSION").write_text("18")
        (Path(home) / "postgres" / "data" / "table.log").write_text(line)

        [hit] = planted.found_in_files([Path(home)])

    assert hit.startswith(f"{log}:2: ")
    assert what in hit


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"request","path":"/api/orders/01J9","status":201,"order_id":"7719355"}',
        '{"event": "key made", "prefix": "huuva_ab12cd"}',
        '{"path": "/display/pair/…"}',
        "GET /display/pair/status",
    ],
)
def test_ids_and_prefixes_are_no_secrets(line: str) -> None:
    assert list(planted.found_in(line, "log")) == []


LOUD = """
import sys
from tests import planted

def test_loud():
    print(f"cooking for {planted.NAME}", file=sys.stderr)

def test_quiet():
    print("cooking", file=sys.stderr)
"""
BEHIND = """
from conftest import HOME
from tests import planted

def test_behind():
    (HOME / "log" / "web.log").write_text(f"cooking for {planted.NAME}\\\\n")
"""


def test_a_run_that_wrote_a_name_fails_and_says_where() -> None:
    """A run of its own, shared among processes as `make test` does it."""
    with tempfile.TemporaryDirectory(dir=ROOT / "tests", prefix="planted_") as folder:
        loud, behind = Path(folder) / "test_loud.py", Path(folder) / "test_behind.py"
        loud.write_text(LOUD)
        behind.write_text(BEHIND)
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env=_without_own(),
        )

    assert run.returncode == 1, run.stdout
    assert "1 failed, 2 passed" in run.stdout
    assert "stderr:1: a customer's name" in run.stdout
    assert "log/web.log:1: a customer's name" in run.stdout


def _without_own() -> dict[str, str]:
    """The environment without what this run has put there for itself, and without servers that others share."""
    own = ("DJANGO_", "HUUVA_", "PYTEST_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}
