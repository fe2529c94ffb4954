"""All that knows of Citus: how to distribute the order tables over the workers of a cluster, and how to read there.

Every migration keeps this possible (ADR 1, and a test of the schema): an order and its items, history and amendments
lie on one worker, found by the order's id. Kitchens are copied to all workers. The rest stays on the coordinator.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.db import connection, transaction

log = structlog.get_logger(__name__)

# The column of the order's id in each distributed table. The others are colocated with the first.
ORDER_ID: Final = {
    "orders_order": "id",
    "orders_orderitem": "order_id",
    "orders_statuschange": "order_id",
    "orders_amendment": "order_id",
}
# A copy of it is on every machine.
REFERENCE: Final = "orders_kitchen"
SHARDS: Final = 32


# Whether this server is the coordinator of one, in SQL.
IS_ONE: Final = "to_regclass('pg_dist_node') IS NOT NULL"
# What Citus itself has prepared on each node. It opens new connections, so they see the present, not this transaction's
# snapshot.
_PREPARED: Final = """
    SELECT nodeid, success, result FROM run_command_on_all_nodes($$
        SELECT coalesce(string_agg(gid, ' '), '') FROM pg_prepared_xacts
        WHERE database = current_database() AND gid LIKE 'citus\\_%'
    $$)
"""
# Nodes commit within milliseconds. What takes longer has lost its coordinator, or a node is down.
PATIENCE_SECONDS: Final = 1.0
STEP_SECONDS: Final = 0.01


class NotPossible(Exception):
    """The cluster isn't ready; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    text: str
    sql: str


def has_citus() -> bool:
    return bool(_value("SELECT count(*) FROM pg_extension WHERE extname = 'citus'"))


def plan(shards: int = SHARDS) -> list[Step]:
    """The steps that remain, in order; empty where all is done. Raises NotPossible. Needs the extension."""
    _check_cluster()
    known = dict(_rows("SELECT logicalrelid::regclass::text, partmethod::text FROM pg_dist_partition"))
    pending = [table for table in ORDER_ID if known.get(table) != "h"]
    # Without them each table can be distributed by itself, and none becomes a Citus local table first.
    keys = _foreign_keys(pending)
    return [
        *(
            Step(f"put aside {name} of {table}", f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            for table, name, _ in keys
        ),
        *([] if _is_reference(known) else [_REFER]),
        *(_spread(table, shards) for table in pending),
        *(
            Step(f"put {name} back", f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
            for table, name, definition in keys
        ),
        *_settings(),
    ]


def carry_out(steps: Sequence[Step]) -> list[str]:
    """All of the steps, or none. Returns what `advance_counters` does."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Statements on reference and on spread tables in one transaction go over one connection for each worker.
        cursor.execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
        # The guards only refuse; they touch no other row, which is what is unsafe.
        cursor.execute("SET LOCAL citus.enable_unsafe_triggers TO on")
        # The coordinator's rows are truncated once they are copied.
        cursor.execute("SET LOCAL huuva.retention TO 'on'")
        cursor.execute("SET LOCAL client_min_messages TO warning")
        cursor.execute("SET LOCAL statement_timeout TO 0")
        for step in steps:
            cursor.execute(step.sql)
        return advance_counters()


def advance_counters() -> list[str]:
    """Set identity columns behind the highest number of their table: Citus creates new ones, which begin at 1.

    Returns those that were too low, as table.column.
    """
    advanced = []
    columns = _rows(
        """
        SELECT t.oid::regclass::text, quote_ident(a.attname), pg_get_serial_sequence(t.oid::regclass::text, a.attname)
        FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
        WHERE a.attidentity <> '' AND t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace
        ORDER BY 1, 2
        """
    )
    for table, column, sequence in columns:
        highest = _value(f"SELECT coalesce(max({column}), 0) FROM {table}")  # noqa: S608 (from the catalogue)
        last = _value(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")  # noqa: S608
        if last < highest:
            _value("SELECT setval(%s, %s)", [sequence, highest])
            advanced.append(f"{table}.{column}")
    return advanced


def _check_cluster() -> None:
    if not _value("SELECT count(*) FROM pg_dist_node WHERE groupid = 0"):
        raise NotPossible(
            "The coordinator is not in the cluster yet: SELECT citus_set_coordinator_host('<its name>', 5432)."
        )
    if _value("SELECT groupid FROM pg_dist_local_group"):
        raise NotPossible("This is a worker: DATABASE_URL must name the coordinator.")
    if not _value(
        "SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards AND noderole = 'primary'"
    ):
        raise NotPossible("No worker is there: SELECT citus_add_node('<its name>', 5432) on the coordinator.")


_REFER: Final = Step(f"copy {REFERENCE} to every worker", f"SELECT create_reference_table('{REFERENCE}')")


def _is_reference(known: dict[str, str]) -> bool:
    return known.get(REFERENCE) == "n" and bool(
        _value(
            "SELECT count(*) FROM pg_dist_partition WHERE logicalrelid = %s::regclass AND repmodel = 't'",
            [REFERENCE],
        )
    )


def _spread(table: str, shards: int) -> Step:
    leader = next(iter(ORDER_ID))
    where = (
        f"colocate_with => 'none', shard_count => {shards}"
        if table == leader
        else f"colocate_with => '{leader}'"
    )
    return Step(
        f"spread {table} by {ORDER_ID[table]}"
        + (f" over {shards} parts" if table == leader else f", beside {leader}"),
        # The rows are copied; the old ones would stay on the coordinator, out of sight.
        f"SELECT create_distributed_table('{table}', '{ORDER_ID[table]}', {where});"
        f"SELECT truncate_local_data_after_distributing_table('{table}')",
    )


def _foreign_keys(pending: Sequence[str]) -> list[tuple[str, str, str]]:
    """Table, name and definition of those from or to a table that is to be distributed."""
    keys = _rows(
        """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0 AND conrelid::regclass::text = ANY(%(all)s)
          AND (conrelid::regclass::text = ANY(%(pending)s) OR confrelid::regclass::text = ANY(%(pending)s))
        ORDER BY array_position(%(all)s, conrelid::regclass::text), conname
        """,
        {"all": list(ORDER_ID), "pending": list(pending)},
    )
    return [(table, name, definition) for table, name, definition in keys]


# For all sessions of this database.
_SETTINGS: Final = {
    # The guards stay on the distributed tables, and see what the coordinator has set (`huuva.retention`).
    "citus.enable_unsafe_triggers": "on",
    "citus.propagate_set_commands": "local",
    # A transaction that has read many orders may still change a table that points to kitchens.
    "citus.multi_shard_modify_mode": "sequential",
}


def _settings() -> list[Step]:
    database = _value("SELECT quote_ident(current_database())")
    set_already = set(
        _value(
            """
            SELECT coalesce(array_agg(setting), '{}') FROM pg_db_role_setting, unnest(setconfig) AS setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND setrole = 0
            """
        )
    )
    return [
        Step(f"set {name} = {value} for the database", f"ALTER DATABASE {database} SET {name} TO '{value}'")
        for name, value in _SETTINGS.items()
        if f"{name}={value}" not in set_already
    ]


def _rows(sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def _value(sql: str, parameters: Any = None) -> Any:
    return _rows(sql, parameters)[0][0]


def gathered(statement: str) -> str:
    """A SELECT about the orders `%(ids)s`, for the coordinator. No node has all of them, so the rows that it reads are
    first gathered there, under the names of their tables. They have no index then: ask about few orders at a time."""
    tables = ", ".join(
        f"{table} AS MATERIALIZED (SELECT * FROM {table} WHERE {column} = ANY(%(ids)s))"  # noqa: S608
        for table, column in ORDER_ID.items()
    )
    return f"WITH {tables} {statement}"


def is_settled() -> bool:
    """Wait until everything that is prepared now has ended; false where that takes longer than PATIENCE_SECONDS.

    The watermark was read before: whatever lies below it and isn't visible everywhere is prepared somewhere now.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = _prepared()
    while waiting:
        if time.monotonic() > deadline:
            log.warning("feed_waits_for_prepared_transactions", count=len(waiting))
            return False
        time.sleep(STEP_SECONDS)
        still = _prepared()
        waiting = None if still is None else waiting & still
    return waiting is not None


def _prepared() -> set[tuple[int, str]] | None:
    """What is prepared now, by node and name; None where a node doesn't answer."""
    with connection.cursor() as cursor:
        cursor.execute(_PREPARED)
        answers = cursor.fetchall()
    if not all(success for _, success, _ in answers):
        log.warning("feed_waits_for_a_machine")
        return None
    return {(node, gid) for node, _, gids in answers for gid in gids.split()}
