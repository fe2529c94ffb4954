"""What managers do with messages that failed: replay them, or give them up."""

from uuid import uuid4

from django.db import transaction

from integrations.adapters.base import MessageType
from integrations.channels.intake import IntakeResult, process_message
from integrations.channels.outbound import notify_failed
from integrations.models import ChannelLocation, ChannelMessage
from orders import clock


def replay(message: ChannelMessage, *, by: str) -> tuple[IntakeResult, ChannelMessage]:
    """Process a message as if the channel had sent it again now; the new message has a request id of its own."""
    return process_message(
        message.link,
        message.payload.encode(),
        request_id=f"replay-{uuid4().hex}",
        replay_of=message,
        by=by,
    )


def replay_location(location: ChannelLocation, *, by: str) -> tuple[int, int]:
    """Replay what waits for a location to be known, oldest first; how many succeeded and how many were refused."""
    unsettled = ChannelMessage.objects.unsettled()
    waiting = unsettled.filter(
        link_id=location.link_id,
        location=location.external_id,
        outcome=ChannelMessage.Outcome.UNKNOWN_LOCATION,
    )
    succeeded = refused = 0
    for message in waiting.select_related("link").order_by("at", "id"):
        # Another message of the same order may just have settled this one.
        if not unsettled.filter(pk=message.pk).exists():
            continue
        if replay(message, by=by)[0].problem is None:
            succeeded += 1
        else:
            refused += 1
    return succeeded, refused


@transaction.atomic
def give_up(message: ChannelMessage, *, by: str) -> bool:
    """Settle a message without an order, and notify the channel where it can be (Deliverect: 120). False where it was
    settled before."""
    now = clock.now()
    if not ChannelMessage.objects.unsettled().filter(pk=message.pk).update(settled_at=now, settled_by=by):
        return False
    if message.matter == MessageType.ORDER:
        notify_failed(message, now)
    return True
