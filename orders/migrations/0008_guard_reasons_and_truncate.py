"""The guard of what is append-only: it refuses TRUNCATE too, and lets retention empty reasons."""

from typing import Any

from django.conf import settings
from django.db import migrations

# Reasons are written freely, so a customer may stand in one: retention empties them, and changes nothing else.
GUARD = """
CREATE OR REPLACE FUNCTION orders_history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('huuva.retention', true) = 'on' THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        IF NEW.reason = '' AND to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'History is append-only: % of order % refused', TG_OP, OLD.order_id
        USING ERRCODE = 'restrict_violation',
              HINT = 'Retention deletes after SET LOCAL huuva.retention = ''on''.';
END $$;
"""
OLD_GUARD = """
CREATE OR REPLACE FUNCTION orders_history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('huuva.retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'History is append-only: % of order % refused', TG_OP, OLD.order_id
        USING ERRCODE = 'restrict_violation',
              HINT = 'Retention deletes after SET LOCAL huuva.retention = ''on''.';
END $$;
"""
# TRUNCATE asks no trigger of rows. That of the order tables goes through here as well: it has to cascade.
TRUNCATE_GUARD = """
CREATE FUNCTION orders_history_is_not_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('huuva.retention', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'History is append-only: TRUNCATE of % refused', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
              HINT = 'It passes after SET LOCAL huuva.retention = ''on''.';
END $$;
CREATE TRIGGER history_is_not_truncated BEFORE TRUNCATE ON orders_statuschange
    FOR EACH STATEMENT EXECUTE FUNCTION orders_history_is_not_truncated();
CREATE TRIGGER amendments_are_not_truncated BEFORE TRUNCATE ON orders_amendment
    FOR EACH STATEMENT EXECUTE FUNCTION orders_history_is_not_truncated();
"""
NO_TRUNCATE_GUARD = """
DROP TRIGGER IF EXISTS history_is_not_truncated ON orders_statuschange;
DROP TRIGGER IF EXISTS amendments_are_not_truncated ON orders_amendment;
DROP FUNCTION IF EXISTS orders_history_is_not_truncated();
"""


def install_guard(apps: Any, schema_editor: Any) -> None:
    """Skipped where the setting says so, as the guard of rows is."""
    if settings.HUUVA_HISTORY_GUARD:
        # The functions first: a cluster takes none after a trigger in the same transaction.
        schema_editor.execute(GUARD, params=None)
        schema_editor.execute(TRUNCATE_GUARD, params=None)


def remove_guard(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(NO_TRUNCATE_GUARD, params=None)
    if settings.HUUVA_HISTORY_GUARD:
        schema_editor.execute(OLD_GUARD, params=None)


class Migration(migrations.Migration):
    dependencies = [("orders", "0007_opening_hours")]

    operations = [migrations.RunPython(install_guard, remove_guard)]
