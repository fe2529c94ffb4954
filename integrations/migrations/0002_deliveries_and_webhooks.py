import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import integrations.events
import integrations.models.deliveries


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0001_initial"),
        ("orders", "0004_privacy_and_access"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeliveryCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "kind", "outcome", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=32)),
                ("outcome", models.CharField(max_length=16)),
                ("count", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="LateNote",
            fields=[
                (
                    "order_id",
                    models.CharField(db_collation="C", max_length=128, primary_key=True, serialize=False),
                ),
                ("sequence", models.PositiveIntegerField()),
                ("noted_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Sink",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=integrations.models.deliveries.new_sink_id,
                        editable=False,
                        max_length=36,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(editable=False, max_length=32, verbose_name="kind")),
                ("name", models.CharField(max_length=64, verbose_name="name")),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        help_text="Only orders of this channel. Empty: of all.",
                        max_length=64,
                        verbose_name="channel",
                    ),
                ),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32),
                        validators=[integrations.events.validate_events],
                        verbose_name="events",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "disabled_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="disabled"),
                ),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("by_hand", "By hand"),
                            ("gone", "It answered 410 Gone"),
                            ("failing", "It failed for five days"),
                        ],
                        editable=False,
                        max_length=16,
                        verbose_name="why it is disabled",
                    ),
                ),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="failures in a row"),
                ),
                (
                    "failing_since",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="failing since"),
                ),
                (
                    "retry_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="rests until"),
                ),
                (
                    "last_success_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last success"),
                ),
                (
                    "kitchen",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: all kitchens.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.kitchen",
                        verbose_name="kitchen",
                    ),
                ),
            ],
            options={
                "verbose_name": "receiver",
                "verbose_name_plural": "receivers",
            },
        ),
        migrations.CreateModel(
            name="DeliveryProgress",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("cursor", models.TextField(blank=True, default="")),
                ("holder", models.CharField(blank=True, default="", max_length=36)),
                ("held_until", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="delivery_progress_is_one_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("order_id", models.CharField(db_collation="C", max_length=128, verbose_name="order")),
                ("sequence", models.PositiveIntegerField(verbose_name="sequence")),
                (
                    "step",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Change"), (1, "After the change")], default=0
                    ),
                ),
                ("event_type", models.CharField(max_length=32, verbose_name="event")),
                ("at", models.DateTimeField(verbose_name="happened")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="created"),
                ),
                (
                    "state",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Waiting"), (2, "Delivered"), (3, "Given up"), (4, "Skipped")],
                        default=1,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                (
                    "next_attempt_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="next attempt"),
                ),
                ("leased_until", models.DateTimeField(null=True)),
                ("leased_by", models.CharField(blank=True, max_length=36)),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("last_status", models.PositiveSmallIntegerField(null=True, verbose_name="last answer")),
                ("last_ms", models.PositiveIntegerField(null=True, verbose_name="last latency (ms)")),
                ("log", models.JSONField(default=list, verbose_name="log")),
                (
                    "sink",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="integrations.sink",
                        verbose_name="receiver",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "sink_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="integrations.sink",
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        help_text="https://…; it must answer within 10 s, without redirects.",
                        max_length=2000,
                        verbose_name="URL",
                    ),
                ),
                (
                    "include_customer",
                    models.BooleanField(
                        default=False,
                        help_text="Account, name, phone, address and notes. Only where the receiver may have them.",
                        verbose_name="include customer data",
                    ),
                ),
                (
                    "owner",
                    models.CharField(
                        blank=True, editable=False, max_length=64, verbose_name="made by the key"
                    ),
                ),
                ("nonce", models.CharField(editable=False, max_length=32)),
                ("previous_nonce", models.CharField(blank=True, editable=False, max_length=32)),
                (
                    "previous_until",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="the old secret signs until"
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("nonce", ""), _negated=True), name="webhook_has_secret"
                    )
                ],
            },
            bases=("integrations.sink",),
        ),
        migrations.AddConstraint(
            model_name="sink",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", ""), _negated=True), name="sink_kind_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="sink",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="sink_name_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="sink",
            constraint=models.CheckConstraint(
                condition=models.Q(("events__len__gt", 0)), name="sink_has_events"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", 1)), fields=["sink", "next_attempt_at"], name="delivery_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("state", 3)), fields=["-id"], name="delivery_given_up"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["sink", "-id"], name="delivery_of_sink"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("order_id", "sink", "sequence", "step"), name="delivery_once_for_each_event"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__range", (1, 4))), name="delivery_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("order_id", ""), _negated=True), name="delivery_order_not_empty"
            ),
        ),
    ]
