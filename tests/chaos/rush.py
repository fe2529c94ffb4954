"""The dinner rush: clients that make the calls of huuva.ops.simulation's plans, each compared with the model at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from huuva.ops.simulation.rush import CANCELLED, Planned, Step, plan_rush
from orders.statuses import ITEM_NAMES, ORDER_NAMES
from tests.chaos.amending import amend_model, shows_amendment, wish_for
from tests.chaos.client import Client, NoAnswer
from tests.chaos.ledger import Entry, Ledger, Meaning, Verdict
from tests.model.kitchen_model import RECEIVED, OrderModel, Refused

# How a create is recognised when it is repeated.
MODES = ("key and id", "key", "id")
IN_HAND = 6
NEW = 0.25  # of the calls are new orders, where a client has less than that in hand
CONTESTED = 0.06  # of the moves
AMENDED = 0.08  # of the calls amend an order in hand
READ_BACK = 0.15
# As the run sets it for its kitchen: so long that a clock set back and right again decides nothing.
RECALL_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Pace:
    """`pause`: mean seconds between two calls of a client."""

    clients: int = 8
    pause: float = 0.05


class Rush:
    """All clients. The first one is in a hurry: by it the ledger sees at once when the service is back."""

    def __init__(self, port: int, key: str, ledger: Ledger, seed: int, pace: Pace) -> None:
        self.stop = threading.Event()
        self.key = key
        self._workers = [
            Worker(port, key, ledger, seed, number, pace, self.stop) for number in range(pace.clients)
        ]
        self._threads = [threading.Thread(target=worker.run) for worker in self._workers]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def reset_connections(self, rng: random.Random) -> None:
        """The next call of each client is cut off by a TCP reset, somewhere."""
        for worker in self._workers:
            worker.client.cut = rng.choice(("half", "sent", "read"))

    def finish(self) -> None:
        """No new calls; returns when all that were begun have their final answers. Orders stay open where they are."""
        self.stop.set()
        for thread in self._threads:
            thread.join()


class Worker:
    """One client: a few orders in hand, one call at a time."""

    def __init__(
        self,
        port: int,
        key: str,
        ledger: Ledger,
        seed: int,
        number: int,
        pace: Pace,
        stop: threading.Event,
    ) -> None:
        self.client = Client(port, key, ledger, hurry=number == 0)
        self._rival = Client(port, key, ledger)
        self._ledger, self._pause, self._stop = ledger, pace.pause, stop
        self._name = f"c{seed}-{number}"
        self._rng = random.Random(f"{seed}/{number}")
        self._plans = _plans(seed * 1000 + number)
        self._hand: list[tuple[Entry, Iterator[tuple[int, Step]]]] = []
        self._made = 0

    def run(self) -> None:
        while not self._stop.wait(self._rng.uniform(0, 2 * self._pause)):
            try:
                self._next()
            except NoAnswer as error:
                self._ledger.complain(f"no final answer: {error}")
        self.client.close()
        self._rival.close()

    def _next(self) -> None:
        if not self._hand or (len(self._hand) < IN_HAND and self._rng.random() < NEW):
            entry = self._new_entry()
            if self._create(entry):
                self._hand.append((entry, iter(enumerate(entry.plan.steps, 1))))
            return
        place = self._rng.randrange(len(self._hand))
        entry, steps = self._hand[place]
        if not entry.contested and self._rng.random() < AMENDED:
            self._amend(entry)
            return
        number, step = next(steps, (0, None))
        if step is None:
            del self._hand[place]
        elif self._rng.random() < CONTESTED:
            self._contest(entry, number, step)
        else:
            self._move(self.client, entry, f"{entry.mark}/{number}", step, self._rng.random() < 0.6)
        if self._rng.random() < READ_BACK:
            self._read_back(entry)

    # --- Orders -----------------------------------------------------------------------------------------------------

    def _new_entry(self) -> Entry:
        self._made += 1
        mark = f"{self._name}-{self._made}"
        plan = next(self._plans)
        due = datetime.now(UTC) + timedelta(seconds=plan.due - plan.at)
        body = {**plan.body, "channelOrderId": mark, "pickupTime": due.isoformat(timespec="seconds")}
        mode = MODES[self._made % len(MODES)]
        if "id" in mode:
            body["id"] = mark
        entry = Entry(mark, plan, body.get("id"), body)
        self._ledger.open(entry)
        return entry

    def _create(self, entry: Entry) -> bool:
        key = "" if MODES[self._made % len(MODES)] == "id" else f"create-{entry.mark}"
        entry.in_doubt = "create"
        verdict, doubtful = self.client.until_final("POST", "/api/orders", entry.body, key)
        document = verdict.body
        if verdict.code == "order_exists" and not key and doubtful:
            document = self._read(entry)  # an earlier try was done, and its answer lost
        elif verdict.meaning is not Meaning.DONE:
            self._complain(entry, "a new order", verdict)
            return False
        entry.in_doubt = ""
        entry.id = document["id"]
        plus = {item["plu"]: None for item in entry.body["items"]}
        entry.acknowledge(OrderModel(RECEIVED, dict(plus), [], datetime.now(UTC)))
        if key and verdict.meaning is Meaning.DONE:
            entry.replay = ("POST", "/api/orders", entry.body, key, document)
        self._compare(entry, document)
        return True

    def _move(self, client: Client, entry: Entry, reason: str, step: Step, keyed: bool) -> None:
        assert entry.model is not None and entry.id is not None
        method, path, body = _request(entry.id, step, reason)
        key = reason if keyed or step.status is None else ""
        entry.in_doubt = reason
        verdict, doubtful = client.until_final(method, path, body, key)
        entry.in_doubt = ""
        if verdict.meaning is Meaning.DONE:
            (entry.changed if _says(verdict.body, reason) else entry.unchanged).add(reason)
            if key:
                entry.replay = (method, path, body, key, verdict.body)
        elif key or not doubtful:
            entry.unchanged.add(reason)
        # else: without a key the first try may have been done, and somebody else have moved the order on since.
        if entry.contested:
            if verdict.meaning is not Meaning.DONE and verdict.label != "409":
                self._complain(entry, reason, verdict)
            return
        expected = _apply(entry.model, step)
        if (verdict.meaning is Meaning.DONE) != (expected == "") or verdict.code != expected:
            self._complain(entry, f"{reason} (the model says {expected or 'done'})", verdict)
            entry.contested = True  # from here on the model is of no use
        elif verdict.meaning is Meaning.DONE:
            self._compare(entry, verdict.body, step.plu if step.status is not None else None)

    def _amend(self, entry: Entry) -> None:
        """Sent again without a key it is the same value again, which changes nothing: the answer is the same."""
        wish = wish_for(entry, self._rng)
        key = wish.reason if self._rng.random() < 0.6 else ""
        entry.in_doubt = wish.reason
        verdict, _ = self.client.until_final("PATCH", wish.path, wish.body, key)
        entry.in_doubt = ""
        expected = amend_model(entry, wish)
        if (verdict.meaning is Meaning.DONE) != (expected == "") or verdict.code != expected:
            self._complain(entry, f"{wish.reason} (the model says {expected or 'done'})", verdict)
            entry.contested = True
        elif verdict.meaning is Meaning.DONE:
            if key:
                entry.replay = ("PATCH", wish.path, wish.body, key, verdict.body)
            if not shows_amendment(entry, wish, verdict.body):
                self._complain(entry, f"{wish.reason}, not as asked", verdict)
            self._compare(entry, verdict.body, wish.plu)

    def _contest(self, entry: Entry, number: int, step: Step) -> None:
        """The step, and at the same moment somebody else cancels the order."""
        entry.contested = True
        cancel = Step(0, CANCELLED)
        errors: list[NoAnswer] = []

        def other() -> None:
            try:
                self._move(self._rival, entry, f"{entry.mark}/{number}r", cancel, True)
            except NoAnswer as error:
                errors.append(error)

        rival = threading.Thread(target=other)
        rival.start()
        try:
            self._move(self.client, entry, f"{entry.mark}/{number}", step, self._rng.random() < 0.6)
        finally:
            rival.join()
        if errors:
            raise errors[0]

    # --- Reading back -----------------------------------------------------------------------------------------------

    def _read(self, entry: Entry) -> Any:
        verdict, _ = self.client.until_final("GET", f"/api/orders/{quote(str(entry.id), safe='')}")
        if verdict.meaning is not Meaning.DONE:
            self._complain(entry, "reading an acknowledged order", verdict)
            raise NoAnswer(f"{entry.mark} can't be read")
        return verdict.body

    def _read_back(self, entry: Entry) -> None:
        document = self._read(entry)
        if not entry.contested:
            self._compare(entry, document)

    def _compare(self, entry: Entry, document: Any, plu: str | None = None) -> None:
        """Whether an answer is what the model says: of the order, or of one item."""
        assert entry.model is not None
        actual, expected = _shown(document, plu), _expected(entry.model, plu)
        if actual != expected:
            self._ledger.complain(f"{entry.mark}: a wrong 2xx: {actual}, expected {expected}")

    def _complain(self, entry: Entry, what: str, verdict: Verdict) -> None:
        self._ledger.complain(f"{entry.mark}: {what} got {verdict.label} {verdict.code} {verdict.body}"[:500])


def _plans(seed: int) -> Iterator[Planned]:
    while True:
        yield from plan_rush(seed, 20, 30)
        seed += 100_000


def _request(order_id: str, step: Step, reason: str) -> tuple[str, str, dict[str, Any]]:
    path = f"/api/orders/{quote(order_id, safe='')}"
    if step.status is None:
        return "POST", f"{path}/recall", {"reason": reason, **({"plu": step.plu} if step.plu else {})}
    if step.plu is not None:
        path += f"/items/{quote(step.plu, safe='')}"
    return "PATCH", path, {"status": step.status, "reason": reason}


def _apply(model: OrderModel, step: Step) -> str:
    """Takes the step in the model too; returns the code of its refusal, or nothing."""
    moment = datetime.now(UTC)
    try:
        if step.status is None:
            model.recall(step.plu, moment, auto_advance=True, within=RECALL_WITHIN)
        elif step.plu is not None:
            model.move_item(step.plu, step.status, moment, auto_advance=True)
        else:
            model.move(step.status, moment)
    except Refused as refusal:
        return refusal.code
    return ""


def _expected(model: OrderModel, plu: str | None) -> tuple[Any, ...]:
    if plu is not None:
        return ITEM_NAMES[model.items[plu]], sum(row.plu == plu for row in model.history)
    items = {plu: ITEM_NAMES[status] for plu, status in model.items.items()}
    return ORDER_NAMES[model.status], items, model.version, len(model.history)


def _shown(document: Any, plu: str | None) -> tuple[Any, ...]:
    if plu is not None:
        return document["status"], len(document["statusHistory"])
    items = {item["plu"]: item["status"] for item in document["items"]}
    rows = len(document["statusHistory"]) + sum(len(item["statusHistory"]) for item in document["items"])
    return document["status"], items, document["version"], rows


def _says(document: Any, reason: str) -> bool:
    """Whether the answer's history holds rows of that move."""
    parts = [document, *document.get("items", [])]
    return any(row["reason"] == reason for part in parts for row in part["statusHistory"])
