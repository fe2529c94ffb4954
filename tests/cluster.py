"""The tests' database spread over a Citus cluster, where DATABASE_URL names the coordinator of one.

Its database must be a part of the cluster already (`pg_dist_node`): the tests' own one gets the same workers.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from orders.cluster import carry_out, plan


def workers(database_url: str) -> list[tuple[str, int]]:
    """The workers of the cluster whose coordinator that is; none where it is no coordinator."""
    with psycopg.connect(database_url) as connection:
        there = connection.execute("SELECT count(*) FROM pg_extension WHERE extname = 'citus'").fetchone()
        if not there or not there[0]:
            return []
        return connection.execute(
            "SELECT nodename, nodeport FROM pg_dist_node WHERE isactive AND groupid > 0 ORDER BY nodeid"
        ).fetchall()


def spread(connection: Any, nodes: list[tuple[str, int]]) -> None:
    """`connection` is Django's, to the database that the tests use, which is empty and migrated."""
    name = connection.settings_dict["NAME"]
    _on_workers(connection, nodes, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    for host, port in nodes:
        with _connected(connection, host, port, name) as worker:
            worker.execute("CREATE EXTENSION citus")
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION citus")
        parameters = connection.get_connection_params()
        cursor.execute(
            "SELECT citus_set_coordinator_host(%s, current_setting('port')::int)",
            [parameters.get("host", "localhost")],
        )
        for host, port in nodes:
            cursor.execute("SELECT citus_add_node(%s, %s)", [host, port])
    carry_out(plan(shards=4))
    connection.close()  # the next one has the settings of the database


def drop(connection: Any, nodes: list[tuple[str, int]]) -> None:
    """What `spread` left on the workers."""
    name = sql.Identifier(connection.settings_dict["NAME"])
    _on_workers(connection, nodes, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _on_workers(connection: Any, nodes: list[tuple[str, int]], *statements: sql.Composed) -> None:
    for host, port in nodes:
        with _connected(connection, host, port, "postgres") as worker:
            for statement in statements:
                worker.execute(statement)


def _connected(connection: Any, host: str, port: int, database: str) -> psycopg.Connection[Any]:
    settings = connection.settings_dict
    return psycopg.connect(
        host=host,
        port=port,
        dbname=database,
        user=settings["USER"],
        password=settings["PASSWORD"] or None,
        autocommit=True,
    )
