"""The order tables can be spread over a cluster by order id (ADR 1): a migration that breaks the rules for that fails here.

Read from the catalogue of the migrated database, so that raw SQL in migrations counts too.
"""

import re

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.amendments import amend_order
from orders.cluster import ORDER_ID, REFERENCE
from orders.privacy import erase_account
from orders.recall import recall
from orders.services import move_item, move_order
from orders.statuses import PICKED_UP, PREPARING, READY, RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db
# What else names orders, by id alone and without a foreign key: it stays on the coordinator of a cluster. Who adds a table
# decides: one that grows with each order and is read with it belongs among the spread ones.
BESIDE = {
    "analytics_product",
    "integrations_channelmessage",
    "integrations_channelorder",
    "integrations_delivery",
    "integrations_latenote",
    "kitchen_display_alarm",
    "kitchen_display_amendmentalarm",
    "kitchen_display_sighting",
    "kitchen_display_ticketnumber",
}
GUARDS = {
    ("orders_statuschange", "history_is_append_only"),
    ("orders_statuschange", "history_is_not_truncated"),
    ("orders_amendment", "amendments_are_append_only"),
    ("orders_amendment", "amendments_are_not_truncated"),
}


def rows(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(ORDER_ID)])
        return cursor.fetchall()


def test_every_model_that_hangs_on_an_order_is_looked_at() -> None:
    hanging = {
        model._meta.db_table
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation
        and getattr(field.related_model, "_meta", None)
        and field.related_model._meta.db_table == "orders_order"
    }

    assert hanging | {"orders_order"} == set(ORDER_ID)


def test_every_table_that_names_orders_is_spread_or_meant_to_stay() -> None:
    names = {
        model._meta.db_table
        for model in apps.get_models()
        if any(field.column in ("order_id", "order") for field in model._meta.concrete_fields)
    }

    assert names - set(ORDER_ID) == BESIDE


def test_the_keys_are_those_of_the_design() -> None:
    keys = {model._meta.db_table: model._meta.pk_fields for model in apps.get_models()}

    assert {table: [field.column for field in keys[table]] for table in ORDER_ID} == {
        "orders_order": ["id"],
        "orders_orderitem": ["order_id", "plu"],
        "orders_statuschange": ["order_id", "sequence"],
        "orders_amendment": ["order_id", "version"],
    }


def test_every_key_and_unique_index_contains_the_order() -> None:
    found = rows(
        """
        SELECT t.relname, i.relname, array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(x.indkey)
        WHERE x.indisunique AND t.relname = ANY(%s) GROUP BY 1, 2
        """
    )

    assert {table for table, _, _ in found} == set(ORDER_ID)
    assert [name for table, name, columns in found if ORDER_ID[str(table)] not in columns] == []  # type: ignore[operator]


def test_foreign_keys_stay_inside_the_order_or_go_to_the_reference_table() -> None:
    found = rows(
        """
        SELECT t.relname, c.conname, f.relname, array_agg(a.attname::text)
        FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(c.conkey)
        WHERE c.contype = 'f' AND t.relname = ANY(%s) GROUP BY 1, 2, 3
        """
    )

    wrong = [
        name
        for table, name, target, columns in found
        if target != REFERENCE and not (target in ORDER_ID and ORDER_ID[str(table)] in columns)  # type: ignore[operator]
    ]
    assert found and wrong == []


def test_no_other_table_points_at_the_order_tables() -> None:
    found = rows(
        """
        SELECT t.relname, c.conname FROM pg_constraint c
        JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid
        WHERE c.contype = 'f' AND f.relname = ANY(%s)
        """
    )

    assert [name for table, name in found if table not in ORDER_ID] == []


def test_nothing_is_counted_by_a_sequence() -> None:
    found = rows(
        """
        SELECT t.relname, a.attname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
        WHERE t.relname = ANY(%s) AND a.attnum > 0
          AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE '%%nextval%%')
        """
    )

    assert found == []


def test_the_only_triggers_are_the_guards_of_what_is_append_only() -> None:
    found = rows(
        """
        SELECT t.relname, g.tgname FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
        WHERE t.relname = ANY(%s) AND NOT g.tgisinternal
        """
    )

    assert {(str(table), str(name)) for table, name in found} == GUARDS


def test_order_ids_compare_by_bytes_everywhere() -> None:
    """A distributed table is cut by the hash of its key, and the feed is ordered by it: one collation for all."""
    found = rows(
        """
        SELECT t.relname, c.collname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
        JOIN pg_collation c ON c.oid = a.attcollation
        WHERE t.relname = ANY(%s) AND a.attname = CASE t.relname WHEN 'orders_order' THEN 'id' ELSE 'order_id' END
        """
    )

    assert {str(table): collation for table, collation in found} == dict.fromkeys(ORDER_ID, "C")


def test_only_the_transactions_id_is_filled_in_by_a_function() -> None:
    """The coordinator reckons defaults once for all machines; constants it needn't reckon."""
    expressions = rows(
        """
        SELECT t.relname, a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
        JOIN pg_class t ON t.oid = d.adrelid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.adnum
        WHERE t.relname = ANY(%s) AND pg_get_expr(d.adbin, d.adrelid) LIKE '%%(%%'
        """
    )

    assert [(table, column) for table, column, _ in expressions] == [("orders_statuschange", "tx")]


def test_there_is_nothing_else_that_a_cluster_refuses() -> None:
    """Exclusion constraints, views, rules, policies, inheritance, columns that are generated."""
    found = rows(
        """
        WITH ours AS (SELECT oid, relname FROM pg_class WHERE relname = ANY(%s))
        SELECT relname, 'exclusion' FROM ours JOIN pg_constraint ON conrelid = ours.oid AND contype = 'x'
        UNION ALL SELECT relname, 'rule or view' FROM ours JOIN pg_depend ON refobjid = ours.oid
            JOIN pg_rewrite r ON r.oid = pg_depend.objid AND pg_depend.classid = 'pg_rewrite'::regclass
        UNION ALL SELECT relname, 'policy' FROM ours JOIN pg_policy ON polrelid = ours.oid
        UNION ALL SELECT relname, 'inheritance' FROM ours JOIN pg_inherits ON ours.oid IN (inhrelid, inhparent)
        UNION ALL SELECT relname, 'generated' FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attgenerated <> ''
        """
    )

    assert found == []


def test_no_update_of_an_order_uses_a_volatile_function() -> None:
    """Each machine would reckon it anew; a cluster refuses it. Times come from our own clock, ids from the application."""
    with CaptureQueriesContext(connection) as queries:
        order = factories.order(RECEIVED, PREPARING)
        move_item(order.id, "P0", PREPARING, actor="user:anna")
        move_order(order.id, READY, actor="user:anna")
        recall(order.id, actor="user:anna")
        amend_order(order.id, note="no onions", actor="user:anna")
        move_order(order.id, PICKED_UP, actor="user:anna")
        erase_account(order.account)
    updates = [query["sql"] for query in queries if re.search(r"UPDATE \W*orders_", query["sql"])]
    used = {name.lower() for sql in updates for name in re.findall(r"(\w+)\s*\(", sql)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE provolatile = 'v' AND proname = ANY(%s)", [sorted(used)]
        )
        volatile = cursor.fetchall()

    assert {table for table in ORDER_ID if any(table in sql for sql in updates)} == {
        "orders_order",
        "orders_orderitem",
        "orders_statuschange",
    }
    assert volatile == []
