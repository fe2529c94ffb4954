"""What Django's models don't say: the feed's column, a foreign key of two columns, the append-only guard."""

from typing import Any

from django.conf import settings
from django.db import migrations

FEED_COLUMN = """
ALTER TABLE orders_statuschange ADD COLUMN tx xid8 NOT NULL DEFAULT pg_current_xact_id();
-- The change feed's order; see orders/feed.py.
CREATE INDEX change_feed ON orders_statuschange (tx, order_id, sequence);
"""

# Checked at commit: a new order's history is written before its items.
ITEM_KEY = """
ALTER TABLE orders_statuschange ADD CONSTRAINT change_of_item
    FOREIGN KEY (order_id, plu) REFERENCES orders_orderitem (order_id, plu) DEFERRABLE INITIALLY DEFERRED;
"""

# Django adds an index for LIKE to each text key; under the collation C the key's own index serves it, and each index is
# one more write for each order.
NO_SECOND_KEY_INDEX = """
DO $$
DECLARE second regclass;
BEGIN
    FOR second IN
        SELECT indexrelid FROM pg_index JOIN pg_opclass ON pg_opclass.oid = ANY (indclass)
        WHERE indrelid = 'orders_order'::regclass AND opcname = 'varchar_pattern_ops'
    LOOP
        EXECUTE format('DROP INDEX %s', second);
    END LOOP;
END $$;
"""

# It stops accidents, not attackers: who may write the table may also set huuva.retention.
GUARD = """
CREATE FUNCTION orders_history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('huuva.retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'History is append-only: % of order % refused', TG_OP, OLD.order_id
        USING ERRCODE = 'restrict_violation',
              HINT = 'Retention deletes after SET LOCAL huuva.retention = ''on''.';
END $$;
CREATE TRIGGER history_is_append_only BEFORE UPDATE OR DELETE ON orders_statuschange
    FOR EACH ROW EXECUTE FUNCTION orders_history_is_append_only();
"""
NO_GUARD = """
DROP TRIGGER IF EXISTS history_is_append_only ON orders_statuschange;
DROP FUNCTION IF EXISTS orders_history_is_append_only();
"""


def install_guard(apps: Any, schema_editor: Any) -> None:
    """Skipped where the setting says so: a cluster that spreads the table refuses triggers."""
    if settings.HUUVA_HISTORY_GUARD:
        schema_editor.execute(GUARD, params=None)


def remove_guard(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(NO_GUARD, params=None)


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.RunSQL(FEED_COLUMN, "ALTER TABLE orders_statuschange DROP COLUMN tx"),
        migrations.RunSQL(ITEM_KEY, "ALTER TABLE orders_statuschange DROP CONSTRAINT change_of_item"),
        migrations.RunSQL(NO_SECOND_KEY_INDEX, migrations.RunSQL.noop),
        migrations.RunPython(install_guard, remove_guard),
    ]
