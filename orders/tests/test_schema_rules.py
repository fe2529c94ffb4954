"""The order tables can be spread over a cluster by order id (ADR 1): a migration that breaks the rules for that fails here.

Read from the catalogue of the migrated database, so that raw SQL in migrations counts too.
"""

import pytest
from django.apps import apps
from django.db import connection

pytestmark = pytest.mark.django_db
# What an order's id is called in each of them.
ORDER_ID = {
    "orders_order": "id",
    "orders_orderitem": "order_id",
    "orders_statuschange": "order_id",
    "orders_amendment": "order_id",
}
# A copy of it is on every machine.
REFERENCE = "orders_kitchen"
GUARDS = {
    ("orders_statuschange", "history_is_append_only"),
    ("orders_amendment", "amendments_are_append_only"),
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
