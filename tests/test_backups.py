"""A backup goes into an empty server and is the same there; whatever is wrong with it is reported first."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from core.addresses import database_url
from huuva.ops import embedded
from huuva.ops.backups import BackupError
from huuva.ops.backups.create import backup
from huuva.ops.backups.manifest import Manifest, manifest_of
from huuva.ops.backups.restore import restore
from huuva.ops.embedded.postgres import programs
from orders import feed
from orders.privacy import erase_account
from orders.recall import recall
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY
from orders.tests import factories
from tests.home import make_home, remove_home

ROOT = Path(__file__).resolve().parent.parent
# In the restored database: a new order, and what the feed gives behind the cursor that a reader had before the backup.
GO_ON = """
import json, sys, django
django.setup()
from orders import feed
from orders.tests import factories
order = factories.order(id="after-the-restore")
events = feed.read(feed.Cursor(*json.loads(sys.argv[1]))).events
print(json.dumps([[event.order_id, event.sequence] for event in events]))
"""

pytestmark = pytest.mark.django_db(transaction=True)


def url_of(database: str) -> str:
    return urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{database}"))


def with_options(url: str, options: str) -> str:
    """As if the role had these settings."""
    query = urlsplit(url).query
    return urlunsplit(urlsplit(url)._replace(query=f"{query}{'&' if query else ''}options={quote(options)}"))


@pytest.fixture
def evening() -> str:
    """A kitchen with all kinds of orders; the URL of its database."""
    factories.order(id="new")
    prepared = factories.order(id="prepared")
    move_order(prepared.id, PREPARING, actor="user:anna")
    move_item(prepared.id, "P0", READY, actor="screen:grill")
    ready = factories.order(id="ready", customer_name="Ada Ääkkönen 🍣", note="two\nlines\tand a tab \\N")
    move_order(ready.id, READY, actor="screen:expo")
    recall(ready.id, actor="screen:expo", reason="too early")
    move_order(factories.order(id="cancelled").id, CANCELLED, actor="key:wolt", reason="customer")
    return url_of(str(connection.settings_dict["NAME"]))


@pytest.fixture
def empty_server() -> Iterator[str]:
    home = make_home()
    with embedded.services(home, postgres=True, valkey=False, durable=False):
        yield database_url(home)
    remove_home(home)


@pytest.fixture
def empty_database() -> Iterator[str]:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS huuva_restored WITH (FORCE)")
        server.execute("CREATE DATABASE huuva_restored")
        yield url_of("huuva_restored")
        server.execute("DROP DATABASE huuva_restored WITH (FORCE)")


def contents(url: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with psycopg.connect(url) as database:
        tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            name: sorted(
                row
                for (row,) in database.execute(
                    sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(name))
                )
            )
            for (name,) in tables
        }


def run(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
    )


def test_backup_restored_into_an_empty_server_is_the_same_and_goes_on(
    evening: str, empty_server: str, tmp_path: Path
) -> None:
    cursor = feed.Cursor.of(feed.read().events[-1])
    before = contents(evening)
    file = tmp_path / "evening.dump"
    backup(evening, file)

    restored = run(empty_server, "manage.py", "restore", str(file))

    assert restored.returncode == 0, restored.stderr
    assert "4 orders" in restored.stdout
    after = contents(empty_server)
    # The offset is what this server's transaction ids lack: it belongs to the server, not to the data.
    assert {**after, "orders_feedoffset": []} == {**before, "orders_feedoffset": []}
    more = run(empty_server, "-c", GO_ON, json.dumps([cursor.tx, cursor.order_id, cursor.sequence]))
    assert more.returncode == 0, more.stderr
    seen = json.loads(more.stdout)
    assert seen and {order_id for order_id, _ in seen} == {"after-the-restore"}
    checked = run(empty_server, "manage.py", "check", "--database", "default")
    assert checked.returncode == 0, checked.stderr


def test_backup_of_a_restored_database_can_be_restored_over_it(
    evening: str, empty_database: str, tmp_path: Path
) -> None:
    backup(evening, tmp_path / "first.dump")
    restore(empty_database, tmp_path / "first.dump")
    second = backup(empty_database, tmp_path / "second.dump")

    restore(empty_database, tmp_path / "second.dump", replace=True)

    assert contents(empty_database) == contents(evening)
    assert second.rows == Manifest.read(tmp_path / "first.dump").rows


def test_a_restore_erases_again_who_was_erased_since(
    evening: str, empty_database: str, tmp_path: Path
) -> None:
    for name in ("mine", "theirs"):
        of = factories.order(id=f"order-{name}", account=f"account-{name}", customer_name=f"Ada {name}")
        move_order(of.id, PICKED_UP, actor="user:anna", reason=f"Ada {name} came")
    factories.order(id="order-open", account="account-mine", customer_name="Ada mine")
    backup(evening, tmp_path / "before.dump")
    move_order("order-open", CANCELLED, actor="user:anna")
    erased = erase_account("account-mine")
    backup(evening, tmp_path / "after.dump")
    restore(empty_database, tmp_path / "after.dump")

    done = run(empty_database, "manage.py", "restore", str(tmp_path / "before.dump"), "--replace")

    assert done.returncode == 0, done.stderr
    assert "Customers erased again: 1." in done.stdout
    after = contents(empty_database)
    everything = "".join(row for rows in after.values() for row in rows)
    assert "Ada mine" not in everything and "account-mine" not in everything
    assert everything.count(erased.account) >= 2
    assert "Ada theirs" in everything and "account-theirs" in everything
    assert len(after["orders_erasure"]) == 1
    again = run(
        empty_database,
        "-c",
        "import django; django.setup(); from orders.privacy import *; print(repeat_erasures())",
    )
    assert again.stdout == "0\n", again.stderr


def test_backup_holds_one_moment_while_orders_come(evening: str, empty_database: str, tmp_path: Path) -> None:
    file = tmp_path / "moment.dump"
    manifest = backup(evening, file)
    factories.order(id="later")

    restore(empty_database, file)

    assert manifest.rows["orders_order"] == len(contents(empty_database)["orders_order"]) == 4


def test_files_of_a_backup_are_their_owner_s_alone(evening: str, tmp_path: Path) -> None:
    file = tmp_path / "backups" / "private.dump"
    backup(evening, file)

    assert {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()} == {
        "private.dump": 0o600,
        "private.dump.json": 0o600,
    }


def test_backup_overwrites_nothing(evening: str, tmp_path: Path) -> None:
    file = tmp_path / "there.dump"
    file.write_text("mine")

    with pytest.raises(BackupError, match="there already"):
        backup(evening, file)

    assert file.read_text() == "mine"


def damage(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (damage, "damaged"),
        (lambda file: manifest_of(file).unlink(), "keep it beside the backup"),
        (lambda file: manifest_of(file).write_text("[]"), "not a manifest"),
        (lambda file: file.unlink(), "is missing"),
    ],
)
def test_broken_backup_is_refused_and_nothing_changes(
    harm: object, words: str, evening: str, empty_database: str, tmp_path: Path
) -> None:
    file = tmp_path / "broken.dump"
    backup(evening, file)
    harm(file)  # type: ignore[operator]

    with pytest.raises(BackupError, match=words):
        restore(empty_database, file)

    assert contents(empty_database) == {}


def test_restore_does_not_touch_a_database_that_is_in_use(evening: str, tmp_path: Path) -> None:
    file = tmp_path / "busy.dump"
    backup(evening, file)
    factories.order(id="since")

    with pytest.raises(BackupError, match="Stop web, worker and beat first"):
        restore(evening, file, replace=True)  # this test's own connection is somebody else's

    assert len(contents(evening)["orders_order"]) == 5


def test_a_restore_waits_for_a_session_that_is_just_ending(
    evening: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ending.dump"
    backup(evening, file)
    other = psycopg.connect(empty_database)
    monkeypatch.setattr("huuva.ops.backups.restore.ENDING_SECONDS", 60.0)
    # The pause ends the session; then PostgreSQL needs as long as it needs.
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: other.close())
    monkeypatch.setattr("huuva.ops.backups.restore.time", clock)
    restore(empty_database, file)
    assert contents(empty_database) == contents(evening)


def test_restore_sees_the_sessions_of_other_roles(evening: str, empty_database: str, tmp_path: Path) -> None:
    """A role without rights of its own sees less of them in PostgreSQL."""
    file = tmp_path / "roles.dump"
    backup(evening, file)
    with psycopg.connect(evening, autocommit=True) as server:
        server.execute("DROP ROLE IF EXISTS huuva_nobody")
        server.execute("CREATE ROLE huuva_nobody")
    try:
        with (
            psycopg.connect(empty_database, application_name="the web of somebody else"),
            pytest.raises(BackupError, match="connected to the database: the web of somebody else"),
        ):
            restore(with_options(empty_database, "-c role=huuva_nobody"), file)
    finally:
        with psycopg.connect(evening, autocommit=True) as server:
            server.execute("DROP ROLE huuva_nobody")
    assert contents(empty_database) == {}


def test_programs_that_complain_without_end_do_not_stop(
    evening: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a pipe holds, from both programs at once; what they do is done all the same."""
    file = tmp_path / "talks.dump"
    backup(evening, file)
    talking = tmp_path / "programs"
    talking.mkdir()
    for name in ("pg_restore", "psql"):
        program = talking / name
        program.write_text(
            f"#!/bin/sh\nyes 'warning: something' | head -c 300000 >&2\nexec {programs() / name} \"$@\"\n"
        )
        program.chmod(0o755)
    monkeypatch.setattr("huuva.ops.backups.database.programs", lambda: talking)

    restore(empty_database, file)

    assert len(contents(empty_database)["orders_order"]) == 4


def test_restore_replaces_only_with_the_option(evening: str, empty_database: str, tmp_path: Path) -> None:
    file = tmp_path / "twice.dump"
    backup(evening, file)
    restore(empty_database, file)

    with pytest.raises(BackupError, match="--replace"):
        restore(empty_database, file)

    assert len(contents(empty_database)["orders_order"]) == 4


def test_backup_command_names_the_file_alone_on_stdout(
    evening: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DATABASE_URL", evening)
    monkeypatch.setattr(settings, "HUUVA_HOME", tmp_path)

    call_command("backup")

    file = Path(capsys.readouterr().out.strip())
    assert file.parent == tmp_path / "backups" and file.is_file()


def test_two_backups_to_one_file_never_mix(evening: str, tmp_path: Path) -> None:
    """A backup by hand while the nightly one writes the same file."""
    file = tmp_path / "nightly.dump"
    part = tmp_path / ".nightly.dump.part"
    part.write_bytes(b"of a backup that was killed")
    with part.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BackupError, match="Another backup is writing"):
            backup(evening, file)
        assert part.read_bytes() == b"of a backup that was killed" and not file.exists()

    manifest = backup(evening, file)

    assert manifest.bytes == file.stat().st_size and not part.exists()


def test_timeouts_of_the_role_end_no_backup_and_no_restore(
    evening: str, empty_database: str, tmp_path: Path
) -> None:
    file = tmp_path / "slow.dump"
    hasty = "-c statement_timeout=1ms -c lock_timeout=1ms"

    backup(with_options(evening, hasty), file)
    restore(with_options(empty_database, hasty), file)

    assert len(contents(empty_database)["orders_order"]) == 4


def test_a_refusal_of_the_database_is_one_sentence(evening: str, tmp_path: Path) -> None:
    with psycopg.connect(evening, autocommit=True) as server:
        server.execute("DROP ROLE IF EXISTS huuva_nobody")
        server.execute("CREATE ROLE huuva_nobody")
        try:
            with pytest.raises(BackupError, match="permission denied"):
                backup(with_options(evening, "-c role=huuva_nobody"), tmp_path / "refused.dump")
        finally:
            server.execute("DROP ROLE huuva_nobody")
    assert list(tmp_path.iterdir()) == []
