"""How history is written: the receiver of `post_save` stores the change that a service handed to the order."""

from typing import Any

from orders import statements
from orders.models import Order, StatusChange


def record_history(sender: type[Order], instance: Order, raw: bool = False, **kwargs: Any) -> None:
    """Receiver of `post_save`: stores the change that the service handed to the order it saved, and nothing else.

    The service holds the order's lock and has read the stored status, so the change has the true status before.
    An order saved without a change has no new status (`Order.save` refuses that); loaded fixtures bring their
    own history (`raw`).
    """
    change = instance.change
    if raw or change is None:
        return
    instance.change = None
    statements.insert(StatusChange, change.rows)
