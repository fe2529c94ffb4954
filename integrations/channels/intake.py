"""Processes verified messages of channels: the work and its log entry in one transaction (ADR 18)."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q
from structlog import get_logger

from core.bodies import invalid_body
from core.jsonio import loads
from core.problems import FieldError, Problem
from integrations.adapters.base import ChannelOrderIn, Incoming
from integrations.adapters.fields import minor_units
from integrations.adapters.registry import ADAPTERS
from integrations.models.channels import ChannelLink, ChannelLocation, ChannelMessage, ChannelOrder
from orders import clock
from orders.api.problems import refusal_problem
from orders.errors import Refusal
from orders.models import Kitchen, Order
from orders.new import NewOrder
from orders.services import create_order, move_order
from orders.statuses import CANCELLED

log = get_logger(__name__)
Outcome = ChannelMessage.Outcome
STATUS_OK: Final = 200


@dataclass(slots=True)
class IntakeResult:
    """The answer to a message. `body` depends on the ids alone, so that a repeat is answered like the first."""

    body: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.TAKEN
    problem: Problem | None = None


def process_message(
    link: ChannelLink,
    raw: bytes,
    *,
    request_id: str,
    replay_of: ChannelMessage | None = None,
    by: str | None = None,
) -> tuple[IntakeResult, ChannelMessage]:
    """Do what a verified message asks and store it. A refusal is returned as `problem`, and stored as well.

    `by`: who settles earlier refusals by it; None: the channel itself.

    Raises DatabaseError where nothing could be stored: the channel sends it again.
    """
    incoming, problem = _read(link, raw)
    message = ChannelMessage(
        link=link,
        at=clock.now(),
        matter=incoming.type if incoming else "",
        external_id=incoming.external_id if incoming else "",
        location=incoming.location if incoming else "",
        # Also while there is no order yet: its page then shows the earlier messages.
        order_id=link.order_id(incoming.external_id) if incoming else "",
        channel_status=incoming.status if incoming else "",
        request_id=request_id[:128],
        payload=raw.decode("utf-8", "replace").replace("\0", "�"),
        replay_of=replay_of,
    )
    with transaction.atomic():
        if incoming is None or problem is not None:
            result = IntakeResult(outcome=Outcome.INVALID, problem=problem)
        else:
            _lock(link, incoming.external_id)
            result = _attempt(link, incoming)
        message.outcome = result.outcome
        if result.problem is not None:
            message.status_code = result.problem.status_code
            message.detail = _detail(result.problem)
            if replay_of is not None:
                # The message that was replayed stays unsettled; one of the two is enough.
                message.settled_at, message.settled_by = message.at, by or link.actor
        else:
            message.status_code = STATUS_OK
            message.detail = " ".join(incoming.notes if incoming else ())[:2000]
        message.save(force_insert=True)
        if result.problem is None:
            # It settles earlier messages about the same that were refused.
            earlier = Q(external_id=message.external_id, matter=message.matter)
            if replay_of is not None:
                earlier |= Q(pk=replay_of.pk)
            ChannelMessage.objects.unsettled().filter(earlier, link=link).update(
                settled_at=message.at, settled_by=by or link.actor
            )
    log.info(
        "channel_message",
        channel=link.slug,
        outcome=str(message.outcome),
        order=message.order_id,
        matter=message.matter,
    )
    return result, message


def _read(link: ChannelLink, raw: bytes) -> tuple[Incoming | None, Problem | None]:
    """The message, or why it can't be read."""
    try:
        body = loads(raw)
        if not isinstance(body, dict):
            raise Problem("invalid_json", "The body must be one JSON object, {…}.", status=400)
        return ADAPTERS[link.channel_kind].read(body, link.facts()), None
    except Problem as problem:
        if problem.code == "invalid_body":
            return None, invalid_body(problem.errors, outcome="No order was made of it; the message is kept.")
        return None, problem


def _lock(link: ChannelLink, external_id: str) -> None:
    """Messages about one order wait for each other, also while there is no row of it to lock."""
    digest = hashlib.blake2b(f"channel {link.pk} {external_id}".encode(), digest_size=8).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest, signed=True)])


def _attempt(link: ChannelLink, incoming: Incoming) -> IntakeResult:
    """Do the work; a refusal undoes all of it."""
    order_id = link.order_id(incoming.external_id)
    known = ChannelOrder.objects.filter(pk=order_id).first()
    try:
        with transaction.atomic():
            if incoming.order is None:
                return _cancel_order(link, incoming, order_id, known)
            return _create_order(link, incoming, incoming.order, order_id, known)
    except Refusal as refusal:
        return IntakeResult(outcome=Outcome.REFUSED, problem=refusal_problem(refusal))
    except Problem as problem:
        if problem.code == "unknown_location":
            _note_location(link, incoming.location)
            return IntakeResult(outcome=Outcome.UNKNOWN_LOCATION, problem=problem)
        return IntakeResult(outcome=Outcome.REFUSED, problem=problem)


def _create_order(
    link: ChannelLink, incoming: Incoming, order: ChannelOrderIn, order_id: str, known: ChannelOrder | None
) -> IntakeResult:
    if known is not None and known.taken_at is not None:
        same = known.channel_status == incoming.status
        return IntakeResult({"id": order_id}, Outcome.REPEATED if same else Outcome.NOTED)
    location = ChannelLocation.objects.select_related("kitchen").filter(
        link=link, external_id=incoming.location
    ).first()  # fmt: skip
    if location is None or location.kitchen is None:
        raise _unknown_location(incoming.location)
    cancelled = known is not None and known.cancelled_at is not None
    new = _new_order(order_id, order, location.kitchen, cancelled=cancelled)
    create_order(new, kitchen=location.kitchen, actor=link.actor)
    now = clock.now()
    if known is None:
        known = ChannelOrder(order_id=order_id, link=link, external_id=incoming.external_id, created_at=now)
    known.location, known.channel_status, known.taken_at = incoming.location, incoming.status, now
    known.save()
    return IntakeResult({"id": order_id}, Outcome.TAKEN)


def _cancel_order(
    link: ChannelLink, incoming: Incoming, order_id: str, known: ChannelOrder | None
) -> IntakeResult:
    answer = {"id": order_id}
    now = clock.now()
    if known is None or known.taken_at is None:
        waiting, _created = ChannelOrder.objects.get_or_create(
            order_id=order_id,
            defaults={"link": link, "external_id": incoming.external_id, "created_at": now},
        )
        if waiting.cancelled_at is not None:
            return IntakeResult(answer, Outcome.REPEATED)
        waiting.cancelled_at, waiting.cancel_reason = now, incoming.reason
        waiting.save(update_fields=["cancelled_at", "cancel_reason"])
        return IntakeResult(answer, Outcome.WAITING)
    if known.cancelled_at is not None:
        return IntakeResult(answer, Outcome.REPEATED)
    try:
        move_order(order_id, CANCELLED, actor=link.actor, reason=incoming.reason)
    except Order.DoesNotExist:
        raise Problem("not_found", "This order does not exist any more.", status=404) from None
    known.cancelled_at, known.cancel_reason = now, incoming.reason
    known.save(update_fields=["cancelled_at", "cancel_reason"])
    return IntakeResult(answer, Outcome.CANCELLED)


def _new_order(order_id: str, order: ChannelOrderIn, kitchen: Kitchen, *, cancelled: bool) -> NewOrder:
    currency = order.currency or kitchen.currency
    return NewOrder(
        id=order_id,
        pickup_time=order.pickup_time or clock.now(),
        items=[
            replace(item, details={**item.details, "price": minor_units(item.details["price"], currency)})
            for item in order.items
        ],
        details=order.details,
        status=CANCELLED if cancelled else order.status,
        currency=currency,
        history=list(order.history),
    )


def _unknown_location(location: str) -> Problem:
    if not location:
        detail = "The body names no location. Send the id of the location that cooks."
    else:
        detail = (
            f"No kitchen is set up for the location {location[:80]}. The message is stored: the operator of this "
            "server can set the kitchen in the admin, under Channel locations, and replay it. Or send it again then."
        )
    errors: list[FieldError] = [{"pointer": "/location", "code": "unknown_location", "detail": detail}]
    return Problem("unknown_location", detail, status=422, errors=errors)


def _note_location(link: ChannelLink, location: str) -> None:
    """Store the location; the admin's front page shows it until somebody sets its kitchen."""
    log.warning("channel_location_unknown", channel=link.slug, location=location)
    if location:
        ChannelLocation.objects.get_or_create(link=link, external_id=location)


def _detail(problem: Problem) -> str:
    """For the log that managers read: the problem's text and each wrong field, without values of the body."""
    errors = [f"{error['pointer']}: {error['detail']}" for error in problem.errors]
    return " ".join([problem.text, *errors] if problem.code == "invalid_body" else [problem.text])[:2000]
