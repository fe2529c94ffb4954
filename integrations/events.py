"""The events that webhooks may subscribe to; `WebhookEvent` in integrations/api/webhook_events.py is their schema."""

from collections.abc import Iterable
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CREATED: Final = "order.created"
STATUS_CHANGED: Final = "order.status_changed"
RECALLED: Final = "order.recalled"
LATE: Final = "order.late"
ITEM_STATUS_CHANGED: Final = "item.status_changed"
# Sent on request; nobody subscribes to it.
TEST: Final = "webhook.test"

EVENTS: Final[dict[str, Promise]] = {
    CREATED: _("An order has come in"),
    STATUS_CHANGED: _("An order has moved on or was cancelled"),
    RECALLED: _("An order went back: its latest change was recalled"),
    LATE: _("An order is due and not ready, once for each order"),
    ITEM_STATUS_CHANGED: _("An item has moved, or went back by a recall"),
}


def validate_events(events: Iterable[str]) -> None:
    """Raise ValidationError naming every unknown event and the known ones."""
    unknown = sorted(set(events) - EVENTS.keys())
    if unknown:
        raise ValidationError(
            _("Unknown event: %(unknown)s. Known events: %(known)s."),
            code="unknown_event",
            params={"unknown": ", ".join(unknown), "known": ", ".join(EVENTS)},
        )
