"""An integrator's endpoint for all events; afterwards it must have got all of them, in order, correctly signed."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import Webhook

from integrations.events import CREATED, EVENTS, ITEM_STATUS_CHANGED, LATE, RECALLED, STATUS_CHANGED
from integrations.models import WebhookEndpoint
from integrations.webhooks import endpoints
from tests.chaos.ledger import now
from tests.chaos.stored import Check, Stored
from tests.receiver import ReceivedRequest, Receiver

# A delivery that was under way in a kill is free again after some seconds; one that failed is tried again after 5 and 30.
LONGEST_SECONDS = 120.0


class Listener:
    """Listens from `start` to `stop`."""

    def __init__(self) -> None:
        self._receiver = Receiver()
        self._secret = ""
        self._pause = threading.Event()

    def start(self) -> None:
        self._receiver.start()
        endpoint = WebhookEndpoint(name="chaos", url=self._receiver.url(), events=list(EVENTS))
        self._secret = endpoints.create(endpoint)

    def stop(self) -> None:
        self._receiver.stop()

    def received_since(self, moment: float) -> bool:
        """Whether a webhook has come after that moment of the ledger's clock."""
        requests = self._receiver.requests
        return bool(requests) and requests[-1].at > moment

    def check(self, orders: list[Stored]) -> Check:
        """Waits until all events have come, or for LONGEST_SECONDS."""
        check = Check("events that a webhook got, all of them, each order's in its order, correctly signed")
        expected = {
            (order.id, row.sequence): _event(row) for order in orders for row in order.rows if _event(row)
        }
        deadline = now() + LONGEST_SECONDS
        while expected.keys() - self._types().keys() and now() < deadline:
            self._pause.wait(0.2)
        types = self._types()
        check.counted = len(types)
        missed = expected.keys() - types.keys()
        if missed:
            check.wrong.append(f"{len(missed)} events did not come, like {sorted(missed)[:5]}")
        for place in types.keys() - expected.keys():
            check.wrong.append(f"got {place}, which the history does not have")
        for place, kinds in types.items():
            if kinds != {expected.get(place)}:
                check.wrong.append(f"{place} came as {kinds}, not as {expected.get(place)}")
        check.wrong += self._out_of_order()
        check.wrong += [
            f"{request.headers['webhook-id']} is not correctly signed" for request in self._unsigned()
        ]
        del check.wrong[10:]
        return check

    def _types(self) -> dict[tuple[str, int], set[str]]:
        """By order and sequence: its types, however often it came."""
        types: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        for _, body in self._bodies():
            if body["type"] != LATE:  # not a row of the history
                types[body["data"]["orderId"], body["sequence"]].add(body["type"])
        return types

    def _out_of_order(self) -> list[str]:
        last: dict[str, int] = {}
        seen: set[str] = set()
        wrong = []
        for request, body in self._bodies():
            if request.headers["webhook-id"] in seen:
                continue  # sent again: it may come after a later one
            seen.add(request.headers["webhook-id"])
            order = body["data"]["orderId"]
            if body["sequence"] < last.get(order, 0):
                wrong.append(f"{order}: {body['sequence']} came after {last[order]}")
            last[order] = body["sequence"]
        return wrong

    def _unsigned(self) -> list[ReceivedRequest]:
        webhook = Webhook(self._secret)
        wrong = []
        for request in list(self._receiver.requests):
            at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
            signed = webhook.sign(request.headers["webhook-id"], at, request.body.decode())
            if signed not in request.headers["webhook-signature"].split():
                wrong.append(request)
        return wrong

    def _bodies(self) -> list[tuple[ReceivedRequest, dict[str, Any]]]:
        return [(request, json.loads(request.body)) for request in list(self._receiver.requests)]


def _event(row: Any) -> str:
    if row.sequence == 1:
        return CREATED
    if row.change == 1:
        return ""  # part of the creation
    if row.plu is not None:
        return ITEM_STATUS_CHANGED
    return RECALLED if row.kind == "recall" else STATUS_CHANGED
