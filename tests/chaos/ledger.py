"""What clients called and were answered while processes died, and what they may conclude from it.

Each order is one client's business: its calls are made one after the other, each repeated until its answer is final. So a
plain model of the kitchen (tests/model) that takes part in every final answer knows what the order must look like.

| a client gets | it may conclude | it does | wrong is |
|---|---|---|---|
| 2xx | done, once, and for good: no kill takes it back | goes on | another state than the model's; a body that is no JSON |
| 409 with the model's own refusal | not done, nothing changed | goes on | any other 4xx |
| 409 `order_exists` to a repeated create | an earlier try was done | reads the order, goes on | the same to a first try |
| 409 `idempotency_in_progress` | nothing yet: an earlier try still runs | waits for so long, repeats | no `Retry-After` |
| 429 | not done | waits for so long, repeats | no `Retry-After` |
| 503 | nothing: all of it was done or none | waits for so long, repeats | no `Retry-After`, no problem document |
| closed connection, no answer in 15 s | nothing: all of it was done or none | repeats | – |
| 500, 502, 504, anything else | – | notes it, repeats | always |

A repetition is the same call: the same bytes, with the same `Idempotency-Key` where it has one. Creates and moves also go
without a key where they can be repeated all the same: a create that names its id, a move to a status. A create without
an id can only rely on its key.

Some orders are *contested*: two clients move them at the same moment, so the model can't know who won. Every move carries a
reason of its own, which its history rows keep: an acknowledged move that says it changed something stands there once, a
refused one not at all.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.problems import CONTENT_TYPE
from huuva.ops.simulation.rush import Planned
from tests.model.kitchen_model import OrderModel

MOST_COMPLAINTS = 50


class Meaning(StrEnum):
    """What an answer means to the client."""

    DONE = "done"
    REFUSED = "refused"
    LATER = "later"  # repeat; it says when
    UNKNOWN = "unknown"  # repeat; nobody says when


@dataclass(frozen=True, slots=True)
class Verdict:
    """`label` is how it is counted; `wrong` says what no client should ever see, empty where all is well."""

    meaning: Meaning
    label: str
    body: Any = None
    code: str = ""
    wait: float = 0.0
    wrong: str = ""


def judge(status: int, headers: Mapping[str, str], raw: bytes) -> Verdict:
    """What a client may conclude from an answer that came in whole, whatever its call."""
    retry_after = headers.get("Retry-After", "")
    wait = float(retry_after) if retry_after.isdecimal() else 0.0
    body, wrong = _read(raw) if status != 304 else (None, "")
    if status < 300 or status == 304:
        meaning = Meaning.UNKNOWN if wrong else Meaning.DONE
        return Verdict(meaning, "2xx", body, wrong=wrong and f"a {status} whose body {wrong}")
    code = str(body.get("code", "")) if isinstance(body, dict) else ""
    if not wrong and not headers.get("Content-Type", "").startswith(CONTENT_TYPE):
        wrong = "is no problem document"
    asks_again = status in (429, 503) or code == "idempotency_in_progress"
    if asks_again and not retry_after.isdecimal():
        wrong = wrong or "does not say when to come again"
    if status < 500 or status == 503:
        meaning = Meaning.LATER if asks_again else Meaning.REFUSED
        return Verdict(meaning, str(status), body, code, wait, wrong and f"a {status} that {wrong}")
    return Verdict(Meaning.UNKNOWN, str(status), body, code, wait, f"a {status}: {raw[:300]!r}")


def _read(raw: bytes) -> tuple[Any, str]:
    try:
        return json.loads(raw), ""
    except ValueError:
        return None, f"is no JSON: {raw[:200]!r}"


@dataclass(slots=True)
class Entry:
    """One order in the ledger. `id` is None until an answer has it; `model` until the order is acknowledged.

    `mark` is its channelOrderId, by which it is found whatever its id. `changed` and `unchanged` hold the reasons of moves
    that said they changed something, or that they didn't. `in_doubt` is the reason of a call whose end nobody knows.
    `note` and `quantities` are those of the latest acknowledged amendments, whose reasons are in `amended`.
    """

    mark: str
    plan: Planned
    id: str | None
    body: dict[str, Any]
    model: OrderModel | None = None
    contested: bool = False
    changed: set[str] = field(default_factory=set)
    unchanged: set[str] = field(default_factory=set)
    in_doubt: str = ""
    note: str = ""
    quantities: dict[str, int] = field(default_factory=dict)
    amended: set[str] = field(default_factory=set)
    not_amended: set[str] = field(default_factory=set)
    # How the last acknowledged change can be asked for once more: method, path, body, key and the answer to it.
    replay: tuple[str, str, dict[str, Any], str, Any] | None = None

    def acknowledge(self, model: OrderModel) -> None:
        """The order is there; from now on it must look like this."""
        self.model = model
        self.note = self.body.get("note", "")
        self.quantities = {item["plu"]: item["quantity"] for item in self.body["items"]}


class Ledger:
    """Everything that all clients wrote down. `phase` names the fault that is on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.entries: list[Entry] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.complaints: list[str] = []
        self.complained = 0
        self.phase = "start"
        # Seconds of the slowest call in each phase, whatever came of it.
        self.slowest: dict[str, float] = {}
        # When the latest change that was acknowledged had been asked for.
        self._latest_change = 0.0

    def open(self, entry: Entry) -> None:
        with self._lock:
            self.entries.append(entry)

    def count(self, label: str) -> None:
        with self._lock:
            self.counts[self.phase, label] += 1

    def counted(self, label: str, phase: str | None = None) -> int:
        with self._lock:
            return sum(
                n for (when, what), n in self.counts.items() if what == label and phase in (None, when)
            )

    def took(self, seconds: float, phase: str) -> None:
        """A call that was begun in that phase has ended, well or not, after so long."""
        with self._lock:
            self.slowest[phase] = max(seconds, self.slowest.get(phase, 0.0))

    def complain(self, text: str) -> None:
        """What must never happen. The first ones are kept, all are counted."""
        with self._lock:
            self.complained += 1
            if len(self.complaints) < MOST_COMPLAINTS:
                self.complaints.append(f"[{self.phase}] {text}")

    def acknowledged_change(self, asked_at: float) -> None:
        """A create or move that was asked for then (monotonic seconds) has been acknowledged."""
        with self._lock:
            self._latest_change = max(self._latest_change, asked_at)

    def changes_since(self, moment: float) -> bool:
        """Whether anything that was asked for after that moment has been acknowledged."""
        with self._lock:
            return self._latest_change > moment


def now() -> float:
    """The ledger's clock: monotonic seconds."""
    return time.monotonic()
