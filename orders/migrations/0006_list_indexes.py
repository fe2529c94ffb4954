"""Indexes that no order waits for: they are made while orders are taken, outside of a transaction.

Making one waits until all transactions that run have ended, however long that is (a backup), and holds nobody up. A run
that was killed leaves an index behind that isn't valid, so each is dropped first.
"""

from datetime import timedelta

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.lookups import GreaterThan, LessThan

NEAR = timedelta(days=2)
FAR = (
    Q(LessThan(F("pickup_time") - F("created_at"), Value(-NEAR)))
    | Q(GreaterThan(F("pickup_time") - F("created_at"), Value(NEAR)))
    | Q(GreaterThan(F("updated_at") - F("created_at"), Value(NEAR)))
)
INDEXES = [
    models.Index(fields=["kitchen", "-created_at", "-id", "channel"], name="order_kitchen_newest_first"),
    models.Index(fields=["-created_at", "-id", "channel"], name="order_newest_first"),
    models.Index(fields=["brand_id", "-created_at", "-id", "kitchen", "status"], name="order_brand_newest"),
    models.Index(
        fields=["-created_at", "-id", "kitchen"], name="order_cancelled_newest", condition=Q(status=5)
    ),
    models.Index(
        fields=["-created_at", "-id", "pickup_time", "updated_at"], name="order_far_newest", condition=FAR
    ),
]
# The first two of the above do their work, too.
REPLACED = ["order_kitchen_newest", "order_newest"]
STATISTICS = {"order_pickup_after_creation": "pickup_time", "order_update_after_creation": "updated_at"}


def made_anew(index: models.Index) -> list[migrations.operations.base.Operation]:
    return [
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop),
        AddIndexConcurrently("order", index),
    ]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0005_kitchen_pace")]

    operations = [
        migrations.RunSQL(
            "SET lock_timeout = 0; SET statement_timeout = 0",
            "RESET lock_timeout; RESET statement_timeout",
        ),
        *(operation for index in INDEXES for operation in made_anew(index)),
        *(RemoveIndexConcurrently("order", name) for name in REPLACED),
        # How many orders have a time far from their creation: without it the planner takes that for most.
        *(
            migrations.RunSQL(
                f"""
                DO $$ BEGIN
                    CREATE STATISTICS IF NOT EXISTS {name} ON ({time} - created_at) FROM orders_order;
                EXCEPTION WHEN feature_not_supported THEN
                    RAISE NOTICE 'This server takes no statistics of expressions.'; -- as a cluster of Citus
                END $$
                """,
                f"DROP STATISTICS IF EXISTS {name}",
            )
            for name, time in STATISTICS.items()
        ),
        # Not where the table is empty: PostgreSQL would know it for a table of nothing and, until the next ANALYZE, keep
        # plans that read all of it; of a table that it knows nothing of it expects some pages, and takes the index.
        migrations.RunSQL(
            "DO $$ BEGIN IF EXISTS (SELECT FROM orders_order) THEN ANALYZE orders_order; END IF; END $$",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "RESET lock_timeout; RESET statement_timeout",
            "SET lock_timeout = 0; SET statement_timeout = 0",
        ),
    ]
