"""Checks the limits of notes against what is stored, while orders are taken."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    # One table after the other, each lock no longer than its own check.
    atomic = False

    dependencies = [
        ("orders", "0011_longer_notes"),
    ]

    operations = [
        # Nobody waits for it, so it may wait and work as long as the tables need.
        migrations.RunSQL(
            "SET lock_timeout = 0; SET statement_timeout = 0",
            "RESET lock_timeout; RESET statement_timeout",
        ),
        ValidateConstraint("order", "order_note_length"),
        ValidateConstraint("orderitem", "item_note_length"),
        migrations.RunSQL(
            "RESET lock_timeout; RESET statement_timeout",
            "SET lock_timeout = 0; SET statement_timeout = 0",
        ),
    ]
