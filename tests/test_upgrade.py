"""Upgrade without a pause: the code of the last release takes orders while this release's migrations run, and after.

deploy/last-release.json names where the last release stood; a release moves it on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from huuva.roles import ROLES

ROOT = Path(__file__).resolve().parent.parent
LAST_RELEASE: dict[str, str] = json.loads((ROOT / "deploy" / "last-release.json").read_text())
TABLES = ("orders_order", "orders_orderitem", "orders_statuschange")
OLD_ORDERS = 20_000
WRITERS = 3
# The longest that taking an order may wait for a migration's lock.
LONGEST_WAIT = "1s"

BEGIN = """
import json, sys, django
django.setup()
from django.core.management import call_command
targets = json.loads(sys.argv[1])
for app in ("contenttypes", "auth", "admin", "sessions"):
    call_command("migrate", app, verbosity=0)
for app, name in sorted(targets.items(), key=lambda target: target[0] != "orders"):
    call_command("migrate", app, name, verbosity=0, skip_checks=True)
"""


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a database as the last release left it, with a past."""
    name = f"huuva_upgrade_{os.getpid()}"
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[arg-type]
        server.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
        yield urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}"))
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[arg-type]


def manage(url: str, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def make_past(connection: psycopg.Connection[Any]) -> None:
    """Orders with an item and a row of history each, in the last release's columns; the order that writers copy."""
    connection.execute(
        """
        INSERT INTO orders_kitchen (slug, name, time_zone, currency, target_minutes, auto_advance, recall_minutes,
                                    release_minutes, retention_days)
        VALUES ('main', 'Main', 'Europe/Helsinki', 'EUR', 15, true, 30, 20, 90);
        INSERT INTO orders_order (id, kitchen_id, status, version, sequence, changed_at, account, brand_id, channel,
                                  channel_order_id, channel_display_id, customer_name, customer_phone, note, currency,
                                  pickup_time, due_at, created_at, updated_at)
        VALUES ('model', 'main', 1, 1, 2, now(), 'a', 'b', 'wolt', 'c', 'd', 'n', '', '', 'EUR', now(), now(), now(), now());
        INSERT INTO orders_orderitem (order_id, plu, position, name, quantity, status, note, modifiers, allergens)
        VALUES ('model', 'P1', 0, 'Dish', 1, 1, '', '[]', '[]');
        INSERT INTO orders_statuschange (order_id, sequence, plu, to_status, kind, change, at, recorded_at, actor, reason)
        VALUES ('model', 1, NULL, 1, 1, 1, now(), now(), 'key:wolt', ''),
               ('model', 2, 'P1', 1, 1, 1, now(), now(), 'key:wolt', '')
        """
    )
    copy_order(
        connection,
        columns_of(connection),
        sql.SQL("SELECT 'old-' || n FROM generate_series(1, {}) n").format(OLD_ORDERS),
    )


class Writer(threading.Thread):
    """Takes orders as the last release does: with the columns that it knows, and no more."""

    def __init__(self, url: str, number: int, columns: dict[str, list[str]], stop: threading.Event) -> None:
        super().__init__()
        self.url, self.number, self.columns, self.stop = url, number, columns, stop
        self.accepted = 0
        self.errors: list[str] = []

    def run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"SET lock_timeout = '{LONGEST_WAIT}'")  # type: ignore[arg-type]
            while not self.stop.is_set():
                try:
                    with connection.transaction():
                        copy_order(
                            connection,
                            self.columns,
                            sql.SQL("SELECT {}::text").format(f"w{self.number}-{self.accepted}"),
                        )
                    self.accepted += 1
                except psycopg.Error as error:
                    self.errors.append(str(error).splitlines()[0])
                    return


def copy_order(
    connection: psycopg.Connection[Any], columns: dict[str, list[str]], ids: sql.Composable
) -> None:
    """Copies of the order `model`, with all its rows, under the ids that a query gives."""
    for table in TABLES:
        key = "id" if table == "orders_order" else "order_id"
        others = [name for name in columns[table] if name not in (key, "tx")]
        connection.execute(
            sql.SQL(
                "INSERT INTO {table} ({key}, {names}) SELECT new.id, {others} FROM {table} AS model, ({ids}) AS new (id) "
                "WHERE model.{key} = 'model'"
            ).format(
                table=sql.Identifier(table),
                key=sql.Identifier(key),
                names=sql.SQL(", ").join(map(sql.Identifier, others)),
                others=sql.SQL(", ").join(
                    sql.SQL("model.{}").format(sql.Identifier(name)) for name in others
                ),
                ids=ids,
            )
        )


def columns_of(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    return {
        table: [
            name
            for (name,) in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
                [table],
            )
        ]
        for table in TABLES
    }


def test_migrations_do_not_hold_up_the_last_release(database: str) -> None:
    manage(database, "-c", BEGIN, json.dumps(LAST_RELEASE))
    with psycopg.connect(database, autocommit=True) as connection:
        make_past(connection)
        columns = columns_of(connection)
    stop = threading.Event()
    writers = [Writer(database, number, columns, stop) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        manage(database, "manage.py", "migrate", "--noinput", "--verbosity", "0")
        after = [writer.accepted for writer in writers]
        # The old code goes on for a while beside the new one.
        while any(
            w.accepted < before + 20 and w.is_alive() for w, before in zip(writers, after, strict=True)
        ):
            writers[0].join(0.05)
    finally:
        stop.set()
        for writer in writers:
            writer.join()

    assert [error for writer in writers for error in writer.errors] == []
    assert all(writer.accepted > 20 for writer in writers)
    with psycopg.connect(database) as connection:
        roles = {name for (name,) in connection.execute("SELECT name FROM auth_group")}
        [(count,)] = connection.execute("SELECT count(*) FROM orders_order WHERE id LIKE 'w%'")
    assert count == sum(writer.accepted for writer in writers)
    assert roles == set(ROLES)
