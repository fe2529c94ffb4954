"""Notes of up to 10,000 characters.

The new constraints are not checked here against what is stored, which would read both tables while nobody can take an
order; the next migration does that. What the last release writes fits them.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

LONGEST = 10_000


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0010_erasures"),
    ]

    operations = [
        migrations.RemoveConstraint("order", "order_note_length"),
        AddConstraintNotValid(
            "order",
            models.CheckConstraint(condition=models.Q(note__length__lte=LONGEST), name="order_note_length"),
        ),
        migrations.RemoveConstraint("orderitem", "item_note_length"),
        AddConstraintNotValid(
            "orderitem",
            models.CheckConstraint(condition=models.Q(note__length__lte=LONGEST), name="item_note_length"),
        ),
        migrations.AlterField(
            "order", "note", models.TextField(blank=True, max_length=LONGEST, verbose_name="note")
        ),
        migrations.AlterField(
            "orderitem", "note", models.TextField(blank=True, max_length=LONGEST, verbose_name="note")
        ),
    ]
