"""What a manager does to an order, through the services: advance it, cancel it with a reason, recall a change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db import DatabaseError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.problems import is_busy
from orders.errors import ImpossibleMove, Refusal
from orders.models import Order
from orders.recall import recall
from orders.services import move_order
from orders.statuses import CANCELLED, MOVES, PICKED_UP, PREPARING, READY, OrderStatus

ADVANCE = (PREPARING, READY, PICKED_UP)


class ActionForm(forms.Form):
    """What the page of an order sends: what to do, the version that the manager saw, and why."""

    do = forms.ChoiceField(
        choices=[*((str(status), "") for status in ADVANCE), ("cancel", ""), ("recall", "")],
        error_messages={"invalid_choice": _("This can't be done to an order.")},
    )
    version = forms.IntegerField(min_value=1)
    reason = forms.CharField(
        max_length=500,
        required=False,
        error_messages={"max_length": _("A reason has at most 500 characters.")},
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("do") == "cancel" and not cleaned.get("reason"):
            raise forms.ValidationError(_("Say why the order is cancelled: its channel is told."))
        return cleaned


def choices(order: Order) -> list[tuple[int, str | Promise]]:
    """The statuses that the order can be advanced to, with their labels."""
    return [(status, OrderStatus(status).label) for status in ADVANCE if status in MOVES[order.status]]


def act(order_id: str, do: str, *, version: int, reason: str, actor: str) -> Order:
    """Raises Order.DoesNotExist and the refusals of the services; then nothing has changed."""
    if do == "recall":
        return recall(order_id, actor=actor, reason=reason, expected={version})
    return move_order(
        order_id, CANCELLED if do == "cancel" else int(do), actor=actor, reason=reason, expected={version}
    )


# The refusals' own details are for clients of the API; these are for people.
WORDS: dict[str, str | Promise] = {
    "stale_version": _(
        "Somebody was faster: the order has changed since this page was shown. Look at it and decide anew."
    ),
    "impossible_move": _("The order has moved on since and can't go there any more."),
    "nothing_to_recall": _("There is no change that could be taken back."),
    "cancellation_is_final": _("A cancellation stays: its channel has been told."),
    "recall_expired": _("The latest change is too old to be taken back in this kitchen."),
    "recall_blocked": _(
        "An item has moved on since by a change of its own: that must be taken back first, on the display."
    ),
}


def refusal_text(refusal: Refusal) -> str | Promise:
    return WORDS.get(refusal.code, refusal.detail)


@dataclass
class Outcome:
    """What came of an action on many orders. `refused`: the numbers of those that could not go there; `held`: of the
    one that somebody else held for too long, with which the action ended; `left`: how many it did not come to."""

    moved: int = 0
    refused: list[str] = field(default_factory=list)
    held: str = ""
    left: int = 0


def act_on_many(orders: Sequence[Order], to: int, *, actor: str, reason: str = "") -> Outcome:
    """Moves each order on its own. Whoever holds one order for seconds may hold the others: then the rest is left."""
    outcome = Outcome()
    for number, order in enumerate(orders, 1):
        try:
            move_order(order.id, to, actor=actor, reason=reason)
        except ImpossibleMove:
            outcome.refused.append(str(order))
        except DatabaseError as error:
            if not is_busy(error):
                raise
            outcome.held, outcome.left = str(order), len(orders) - number
            break
        else:
            outcome.moved += 1
    return outcome
