"""Alarms of amendments, beside those of cancellations."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kitchen_display", "0001_initial"),
        ("orders", "0003_amendments"),
    ]

    operations = [
        migrations.AlterField(
            model_name="screen",
            name="sound_cancelled",
            field=models.BooleanField(default=True, verbose_name="sound for a cancellation or a change"),
        ),
        migrations.CreateModel(
            name="AmendmentAlarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("order_id", models.CharField(db_collation="C", max_length=128)),
                ("plu", models.CharField(blank=True, db_collation="C", max_length=128, verbose_name="PLU")),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("before", models.JSONField(verbose_name="before")),
                ("raised_at", models.DateTimeField(verbose_name="raised")),
                ("acknowledged_at", models.DateTimeField(null=True, verbose_name="acknowledged")),
                ("acknowledged_by", models.CharField(blank=True, max_length=200, verbose_name="by")),
                (
                    "kitchen",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orders.kitchen",
                    ),
                ),
            ],
            options={
                "verbose_name": "alarm of an amendment",
                "verbose_name_plural": "alarms of amendments",
                "indexes": [
                    models.Index(
                        condition=models.Q(("acknowledged_at__isnull", True)),
                        fields=["kitchen", "order_id"],
                        name="amendment_alarm_standing",
                    ),
                    models.Index(fields=["raised_at"], name="amendment_alarm_raised"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("order_id", "plu"), name="amendment_alarm_once")
                ],
            },
        ),
    ]
