"""What a manager does about messages of which nothing came: take them in after all, or give them up."""

from uuid import uuid4

from django.db import transaction

from integrations.channels.intake import IntakeResult, take, trouble
from integrations.channels.outbound import tell_failed
from integrations.models import ChannelLocation, ChannelMessage
from orders import clock


def replay(message: ChannelMessage, *, by: str) -> tuple[IntakeResult, ChannelMessage]:
    """As if the channel had sent it again now. What becomes of it is a message with a request id of its own."""
    return take(
        message.link,
        message.payload.encode(),
        request_id=f"replay-{uuid4().hex}",
        replay_of=message,
        by=by,
    )


def replay_location(location: ChannelLocation, *, by: str) -> tuple[int, int]:
    """All that waits for a place to be known, oldest first; how many went well and how many did not."""
    waiting = trouble().filter(
        link_id=location.link_id,
        location=location.external_id,
        outcome=ChannelMessage.Outcome.UNKNOWN_LOCATION,
    )
    taken = refused = 0
    for message in waiting.select_related("link").order_by("at", "id"):
        # Another message of the same order may have settled this one a moment ago.
        if not trouble().filter(pk=message.pk).exists():
            continue
        if replay(message, by=by)[0].problem is None:
            taken += 1
        else:
            refused += 1
    return taken, refused


@transaction.atomic
def give_up(message: ChannelMessage, *, by: str) -> bool:
    """Nothing will come of it; the channel is told so where it can be (Deliverect: 120). False where that was done."""
    now = clock.now()
    if not trouble().filter(pk=message.pk).update(settled_at=now, settled_by=by):
        return False
    if message.matter == "order":
        tell_failed(message, now)
    return True
