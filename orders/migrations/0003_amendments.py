"""Amendments: what was changed of orders beside their statuses."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# With the function of the history's guard (0002).
GUARD = """
CREATE TRIGGER amendments_are_append_only BEFORE UPDATE OR DELETE ON orders_amendment
    FOR EACH ROW EXECUTE FUNCTION orders_history_is_append_only();
"""
NO_GUARD = "DROP TRIGGER IF EXISTS amendments_are_append_only ON orders_amendment"


def install_guard(apps: Any, schema_editor: Any) -> None:
    """Skipped where the setting says so: a cluster that spreads the table refuses triggers."""
    if settings.HUUVA_HISTORY_GUARD:
        schema_editor.execute(GUARD, params=None)


def remove_guard(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(NO_GUARD, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_feed_and_guard"),
    ]

    operations = [
        migrations.CreateModel(
            name="Amendment",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "order_id", "version", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("changes", models.JSONField(verbose_name="changes")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("actor", models.CharField(max_length=200, verbose_name="actor")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="amendments",
                        to="orders.order",
                    ),
                ),
            ],
            options={
                "verbose_name": "amendment",
                "verbose_name_plural": "amendments",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("version__gte", 2)), name="amendment_counted"),
                    models.CheckConstraint(
                        condition=models.Q(("actor__length__gte", 1)), name="amendment_actor_not_empty"
                    ),
                ],
            },
        ),
        migrations.RunPython(install_guard, remove_guard),
    ]
