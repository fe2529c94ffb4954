"""Refusals of the domain. Each names the present state and, where there is one, the remedy."""

from collections.abc import Iterable
from datetime import datetime


class Refusal(Exception):
    """An action that the rules don't allow. Nothing was changed. `code` is stable; `facts` go to the client."""

    code = "refused"

    def __init__(self, detail: str, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class OrderExists(Refusal):
    code = "order_exists"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order {order_id} already exists. Read it, or send the new order with another id.")
        self.order_id = order_id


class ImpossibleMove(Refusal):
    code = "impossible_move"

    def __init__(self, subject: str, current: str, wanted: str, allowed: Iterable[str], last: str) -> None:
        ways = list(allowed)
        remedy = f"From there it can go to {', '.join(ways)}." if ways else "No further move is possible."
        super().__init__(
            f"{subject} is {current} and can't become {wanted}. {last}{remedy}", current=current, allowed=ways
        )


class ImpossibleAmendment(Refusal):
    code = "impossible_amendment"

    def __init__(self, subject: str, current: str) -> None:
        super().__init__(
            f"{subject} is {current} and can no longer be amended. Send a new order for what is missing.",
            current=current,
        )


class StaleVersion(Refusal):
    code = "stale_version"

    def __init__(self, version: int) -> None:
        super().__init__(
            f"The order has changed since you read it and is now at version {version}. Read it again, then retry.",
            version=version,
        )
        self.version = version


class NothingToRecall(Refusal):
    code = "nothing_to_recall"


class CancellationIsFinal(Refusal):
    code = "cancellation_is_final"

    def __init__(self) -> None:
        super().__init__(
            "The latest change is a cancellation. Its channel has been notified, so it can't be recalled."
        )


class RecallExpired(Refusal):
    code = "recall_expired"

    def __init__(self, at: datetime, minutes: int) -> None:
        super().__init__(
            f"That change was made at {at:%Y-%m-%d %H:%M:%S} UTC; "
            f"this kitchen allows a recall for {minutes} minutes."
        )


class RecallBlocked(Refusal):
    code = "recall_blocked"

    def __init__(self, subject: str, number: int, actor: str) -> None:
        super().__init__(
            f"{subject} has moved since, by change {number} of {actor}. Recall that change first.",
            blockedBy=number,
        )


class OrdersStillOpen(Refusal):
    code = "orders_still_open"

    def __init__(self, order_ids: list[str]) -> None:
        super().__init__(
            f"Orders of this account are still open ({len(order_ids)}), such as {order_ids[0]}. "
            "Erase its data when they are picked up or cancelled."
        )
