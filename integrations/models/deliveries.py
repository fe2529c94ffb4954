"""Receivers of events (Sink), deliveries to them, and how far the feed was read for them.

These are local tables: they name orders by id, without foreign keys to the order tables.
"""

import uuid
from typing import Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrations.events import validate_events

ORDER_ID_LENGTH: Final = 128


def new_sink_id() -> str:
    return str(uuid.uuid4())


class SinkQuerySet[M: models.Model](models.QuerySet[M]):
    def present(self) -> Self:
        """Receivers that were not deleted; the purge removes the others with their deliveries."""
        return self.filter(deleted_at=None)


class Sink(models.Model):
    """A receiver of events of orders. Each kind is a model that inherits from this one, and a renderer
    (integrations.deliveries). The name stays for its table and permissions; people see "receiver".

    It gets `events` of orders of `kitchen` (null: of all) and of `channel` (empty: of all), recorded from `created_at`
    on; once it has `begun`, all that follow in the feed. The loop of deliveries maintains its health: after some
    failures in a row it rests until `retry_at`, and is then tried with one delivery at a time.
    """

    class Disabled(models.TextChoices):
        BY_HAND = "by_hand", _("By hand")
        GONE = "gone", _("It answered 410 Gone")
        FAILING = "failing", _("It failed for five days")
        KEY_REVOKED = "key_revoked", _("Its key was revoked")
        KEY_EXPIRED = "key_expired", _("Its key has expired")

        @classmethod
        def asked_for(cls) -> "tuple[Sink.Disabled, ...]":
            """Reasons that somebody chose: no alert."""
            return cls.BY_HAND, cls.KEY_REVOKED

    id = models.CharField(primary_key=True, max_length=36, default=new_sink_id, editable=False)
    kind = models.CharField(_("kind"), max_length=32, editable=False)
    name = models.CharField(_("name"), max_length=64)
    kitchen = models.ForeignKey(
        "orders.Kitchen",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("kitchen"),
        help_text=_("Empty: all kitchens."),
    )
    channel = models.CharField(
        _("channel"), max_length=64, blank=True, help_text=_("Only orders of this channel. Empty: of all.")
    )
    events = ArrayField(
        models.CharField(max_length=32), verbose_name=_("events"), validators=[validate_events]
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    disabled_at = models.DateTimeField(_("disabled"), null=True, blank=True, editable=False)
    disabled_reason = models.CharField(
        _("why it is disabled"), max_length=16, blank=True, choices=Disabled, editable=False
    )
    deleted_at = models.DateTimeField(null=True, editable=False)
    # Set when the feed was read to its end while it existed. From then on it gets all that follows, whatever the clocks
    # say: a clock that is set back must not make events look older than `created_at`.
    begun = models.BooleanField(db_default=False, editable=False)

    # Failures since the last success, over all its orders.
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    retry_at = models.DateTimeField(_("rests until"), null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True, editable=False)

    objects = SinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("receiver")
        verbose_name_plural = _("receivers")
        constraints = [
            models.CheckConstraint(condition=~Q(kind=""), name="sink_kind_not_empty"),
            models.CheckConstraint(condition=~Q(name=""), name="sink_name_not_empty"),
            models.CheckConstraint(condition=Q(events__len__gt=0), name="sink_has_events"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def active(self) -> bool:
        return self.disabled_at is None and self.deleted_at is None


class Delivery(models.Model):
    """One event for one receiver. What is sent is rendered from the order's history when it is sent.

    Deliveries of one order to one receiver are sent in the order of (`sequence`, `step`), each when the one before has
    been delivered or given up.
    """

    class State(models.IntegerChoices):
        WAITING = 1, _("Waiting")
        DELIVERED = 2, _("Delivered")
        GIVEN_UP = 3, _("Given up")
        # The renderer had nothing to send for the event.
        SKIPPED = 4, _("Skipped")

    class Step(models.IntegerChoices):
        """CHANGE: the event of a row of the history. AFTER: one that follows that row (late)."""

        CHANGE = 0, _("Change")
        AFTER = 1, _("After the change")

    id = models.BigAutoField(primary_key=True)
    # The index below serves the key too.
    sink = models.ForeignKey(
        Sink,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="deliveries",
        verbose_name=_("receiver"),
    )
    order_id = models.CharField(_("order"), max_length=ORDER_ID_LENGTH, db_collation="C")
    sequence = models.PositiveIntegerField(_("sequence"))
    step = models.PositiveSmallIntegerField(choices=Step, default=Step.CHANGE)
    event_type = models.CharField(_("event"), max_length=32)
    at = models.DateTimeField(_("happened"))
    # Or last replayed: its age counts from then.
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    state = models.PositiveSmallIntegerField(_("state"), choices=State, default=State.WAITING)
    # Since it was created or last replayed.
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=36, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    last_status = models.PositiveSmallIntegerField(_("last answer"), null=True)
    last_ms = models.PositiveIntegerField(_("last latency (ms)"), null=True)
    # One entry for each attempt, the last 20: {"at", "status", "ms", "error", "answer"}.
    log = models.JSONField(_("log"), default=list)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            # One delivery for each event and receiver, however often the feed gives it. The order comes first: the page
            # of an order asks for its deliveries, and a delivery for earlier ones of its order.
            models.UniqueConstraint(
                fields=["order_id", "sink", "sequence", "step"], name="delivery_once_for_each_event"
            ),
            models.CheckConstraint(condition=Q(state__range=(1, 4)), name="delivery_state_known"),
            models.CheckConstraint(condition=~Q(order_id=""), name="delivery_order_not_empty"),
        ]
        indexes = [
            # The waiting deliveries of a receiver, without the many that are finished.
            models.Index(fields=["sink", "next_attempt_at"], condition=Q(state=1), name="delivery_waiting"),
            # Those that never arrived, newest first: few among millions.
            models.Index(fields=["-id"], condition=Q(state=3), name="delivery_given_up"),
            # The log of a receiver, newest first.
            models.Index(fields=["sink", "-id"], name="delivery_of_sink"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.order_id} #{self.sequence}"


class DeliveryProgress(models.Model):
    """One row: how far the feed was read for deliveries, and which run of the loop sends, until when."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    cursor = models.TextField(default="", blank=True)
    holder = models.CharField(max_length=36, default="", blank=True)
    held_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="delivery_progress_is_one_row")]

    def __str__(self) -> str:
        return self.cursor


class DeliveryCount(models.Model):
    """How many attempts had which outcome, ever, for the metric. Only the loop adds to it."""

    OUTCOMES = ("delivered", "failed", "given_up", "skipped")

    pk = models.CompositePrimaryKey("kind", "outcome")
    kind = models.CharField(max_length=32)
    outcome = models.CharField(max_length=16)
    count = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind} {self.outcome}"


class LateNote(models.Model):
    """An order that was found late, so that it is reported once. `sequence`: the last row of its history then."""

    order_id = models.CharField(primary_key=True, max_length=ORDER_ID_LENGTH, db_collation="C")
    sequence = models.PositiveIntegerField()
    noted_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.order_id
