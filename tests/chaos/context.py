"""What a fault is: what it does, what must hold meanwhile, and all that it may touch."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.disk import Disk
from tests.chaos.ledger import Ledger, now
from tests.chaos.liveness import Liveness
from tests.chaos.rush import Rush
from tests.chaos.stack import Stack
from tests.chaos.watchers import Tasks, Wall
from tests.chaos.webhooks import Listener

LOOK_SECONDS = 0.02
# After that something does not come back by itself.
RECOVERY_SECONDS = 90.0


@dataclass
class FaultContext:
    """Everything that a fault may touch, and all that must work again afterwards.

    `brief` shortens what only passes time, for the suite; `notes` are figures of single faults, for the report.
    """

    stack: Stack
    disk: Disk
    rush: Rush
    screens: tuple[Wall, ...]
    tasks: Tasks
    listener: Listener
    liveness: tuple[Liveness, ...]
    ledger: Ledger
    rng: random.Random
    stop: threading.Event  # its `wait` is how a fault passes time
    brief: bool = False
    notes: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, text: str) -> None:
        self.notes[self.ledger.phase].append(text)

    def until(self, done: Callable[[], bool], seconds: float) -> float | None:
        """Waits for it; returns the seconds it took, or None when the time was over before."""
        began = now()
        while not done():
            if now() - began > seconds:
                return None
            self.stop.wait(LOOK_SECONDS)
        return round(now() - began, 2)

    def signs_since(self, moment: float, wall_time: float) -> dict[str, Callable[[], bool]]:
        """What shows that the stack works: each is true when it has done so after that moment.

        `moment` is of the ledger's clock, `wall_time` the same in seconds since 1970 as the stack's clock says it.
        """
        return {
            "orders": lambda: self.ledger.changes_since(moment),
            "screens": lambda: all(screen.good_at > moment for screen in self.screens),
            "tasks": lambda: self.tasks.done_since(wall_time),
            "webhooks": lambda: self.listener.received_since(moment),
        }

    def until_signs(self, signs: dict[str, Callable[[], bool]]) -> dict[str, float]:
        """Seconds until each came. One that did not come in RECOVERY_SECONDS is missing, and complained of."""
        began = now()
        seen: dict[str, float] = {}
        while len(seen) < len(signs) and now() - began < RECOVERY_SECONDS:
            for name, is_good in signs.items():
                if name not in seen and is_good():
                    seen[name] = round(now() - began, 2)
            self.stop.wait(LOOK_SECONDS)
        for name in signs.keys() - seen:
            self.ledger.complain(f"{name} did not work again within {RECOVERY_SECONDS:.0f} s")
        return seen


@dataclass(frozen=True)
class Fault:
    """`strike` returns when it is over (all dead, or the disk has room again): recovery counts from then on.

    What must hold from its beginning until all is well again:

    - `alive`: /livez of web and live answers within a second;
    - `without`: labels that no call of a client gets;
    - `longest`: seconds within which each call has its answer or its refusal.

    `after` undoes what the strike has left, when the recovery has been measured. `only_beat`: the tasks that show a
    recovery are those that beat sends.
    """

    name: str
    what: str
    strike: Callable[[FaultContext], None]
    alive: bool = False
    without: tuple[str, ...] = ()
    longest: float | None = None
    only_beat: bool = False
    after: Callable[[FaultContext], None] | None = None
