"""The loop: makes deliveries from the feed, sends what is due, stores what came of it; over and over.

One process runs it at a time (`progress.hold`), beside the tasks of a worker. Its main thread alone speaks to the
database; sending is done by the sender's thread.
"""

import os
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import DatabaseError, Error, connections

from integrations.deliveries import claim, create, progress, results
from integrations.deliveries.claim import Claimed
from integrations.deliveries.kinds import Message, renderer_of
from integrations.deliveries.results import Result
from integrations.deliveries.sending import TIMEOUT_SECONDS, Outcome, Sender, capacity

log = structlog.get_logger(__name__)

# How often the feed is looked at, and the sinks that have rested.
POLL_SECONDS: Final = 0.5
LATE_SECONDS: Final = 2.0
HOLD_AGAIN_SECONDS: Final = 1.0
# Outcomes are gathered for so long, to be written together; where that many came the last time, for longer: a burst of
# deliveries then costs PostgreSQL half as much, and orders come first.
GATHER_SECONDS: Final = 0.03
MANY: Final = 32
GATHER_MANY_SECONDS: Final = 0.1
# Of each claim; rendering many at once takes a moment in which nothing else is done.
MOST_AT_ONCE: Final = 300
# What is under way at the end gets so long to come in.
LAST_SECONDS: Final = 2.0

# How much the loop gives way to what shares its processor.
NICENESS: Final = 10
# After so long it begins anew: memory is freed.
RUN_SECONDS: Final = 600.0
# Where another process has it, or after a failure.
AGAIN_SECONDS: Final = 2.0

# How many deliveries of one sink may be under way, by how many are in all.
PLACES: Final = ((256, 64), (1000, 8), (1 << 30, 2))
PLACES_UNPROVEN: Final = ((256, 4), (1 << 30, 1))
# A sink that has one under way for longer gets no more than so many.
SLOW_SECONDS: Final = 1.0
PLACES_SLOW: Final = 4
# Receivers that failed lately get this share of all places, so that the others always find some.
UNPROVEN_SHARE: Final = 0.75


def run_until(ended: Callable[[], bool]) -> None:
    """Run the loop, in whichever process has it, until `ended`: what a worker runs beside its tasks.

    The process gives way to others: where processors are short, orders come first.
    """
    os.setpriority(os.PRIO_PROCESS, 0, min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS))
    while not ended():
        try:
            if run(RUN_SECONDS, ended):
                continue
        except Error as error:
            log.warning("deliveries_interrupted", error=type(error).__name__)
        except Exception:
            log.exception("deliveries_failed")
        connections.close_all()
        _pause(ended)


def run(seconds: float, stop: Callable[[], bool] = lambda: False) -> bool:
    """Run the loop for so long, or until `stop`; false where another process has it. Database errors rise."""
    me = str(uuid.uuid4())
    if not progress.hold(me):
        return False
    with Sender() as sender:
        Loop(me, sender).run(time.monotonic() + seconds, stop)
    progress.release(me)
    return True


def _pause(ended: Callable[[], bool]) -> None:
    until = time.monotonic() + AGAIN_SECONDS
    while not ended() and time.monotonic() < until:
        time.sleep(0.2)


@dataclass(frozen=True, slots=True)
class InFlight:
    """A delivery under way. `began`: by the monotonic clock."""

    claimed: Claimed
    proven: bool
    began: float


class Loop:
    def __init__(self, me: str, sender: Sender, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._me = me
        self._poll = poll_seconds
        self._sender = sender
        self._capacity = capacity()
        # By sink and delivery.
        self._in_flight: defaultdict[str, dict[int, InFlight]] = defaultdict(dict)
        self._sinks: dict[int, str] = {}
        self._unproven = 0
        self._outcomes = 0  # of the last turn
        self._read_at = self._late_at = self._claim_at = 0.0
        self._held_at = time.monotonic()

    def run(self, end: float, stop: Callable[[], bool]) -> None:
        while (now := time.monotonic()) < end and not stop():
            if now - self._held_at > HOLD_AGAIN_SECONDS:
                if not progress.hold(self._me):
                    log.warning("deliveries_taken_over")
                    return
                self._held_at = now
            self.turn(last=now > end - TIMEOUT_SECONDS)
        # Who is stopped has no time for those who are slow.
        self._finish_up(time.monotonic() + (0.5 if stop() else LAST_SECONDS))

    def turn(self, *, last: bool = False) -> int:
        """Once round; returns how many deliveries were made, begun or ended. With `last`, what may take long is no
        longer begun."""
        done = self._read()
        now = time.monotonic()
        if done or now >= self._claim_at:
            done += self._begin(last)
            self._claim_at = now + self._poll
        wait = max(0.0, min(self._read_at, self._claim_at) - time.monotonic())
        outcomes = self._sender.take(wait, GATHER_SECONDS if self._outcomes < MANY else GATHER_MANY_SECONDS)
        self._outcomes = len(outcomes)
        if outcomes:
            done += self._follow(self._store(outcomes))
        return done + len(outcomes)

    @property
    def under_way(self) -> int:
        return len(self._sinks)

    def _read(self) -> int:
        now = time.monotonic()
        if now < self._read_at:
            return 0
        late = now >= self._late_at
        made, more = create.make_deliveries(late=late)
        if late:
            self._late_at = now + LATE_SECONDS
        self._read_at = 0.0 if more else now + self._poll
        return made

    def _begin(self, last: bool) -> int:
        begun = 0
        for proven in (True, False):
            if last and not proven:
                continue
            free = self._capacity - self.under_way
            if not proven:
                free = min(free, round(self._capacity * UNPROVEN_SHARE) - self._unproven)
            most = _places(PLACES if proven else PLACES_UNPROVEN, self.under_way)
            claimed = claim.claim(
                self._me,
                proven=proven,
                limit=min(free, MOST_AT_ONCE),
                most=most,
                places=self._places_left(most),
            )
            # A sink that failed the last time is tried with one delivery at a time.
            begun += self._send(self._one_each_of_failing(claimed), proven)
        return begun

    def _follow(self, ended: set[tuple[str, str]]) -> int:
        """Begin what comes next in the orders of deliveries that have ended."""
        most = _places(PLACES, self.under_way)
        claimed = claim.claim(
            self._me,
            proven=True,
            limit=min(self._capacity - self.under_way, MOST_AT_ONCE),
            most=most,
            places=self._places_left(most),
            ended=ended,
        )
        return self._send(claimed, proven=True)

    def _places_left(self, most: int) -> dict[str, int]:
        now = time.monotonic()
        left = {}
        for sink_id, ways in self._in_flight.items():
            slow = any(now - way.began > SLOW_SECONDS for way in ways.values())
            failing = any(way.claimed.failures for way in ways.values())
            left[sink_id] = 0 if failing else (min(most, PLACES_SLOW) if slow else most) - len(ways)
        return left

    def _one_each_of_failing(self, claimed: list[Claimed]) -> list[Claimed]:
        kept, back, seen = [], [], set()
        for one in claimed:
            if one.failures and one.due.sink_id in seen:
                back.append(one.due.id)
            else:
                kept.append(one)
                seen.add(one.due.sink_id)
        if back:
            claim.unclaim(self._me, back)
        return kept

    def _send(self, claimed: list[Claimed], proven: bool) -> int:
        # A replay frees what is under way: it is being told already.
        claimed = [one for one in claimed if one.due.id not in self._sinks]
        messages: list[tuple[int, Message]] = []
        ended: list[Result] = []
        now = time.monotonic()
        by_kind: defaultdict[str, list[Claimed]] = defaultdict(list)
        for one in claimed:
            by_kind[one.kind].append(one)
        for kind, ones in by_kind.items():
            for one, message in _rendered(kind, ones):
                if isinstance(message, Message):
                    messages.append((one.due.id, message))
                    self._in_flight[one.due.sink_id][one.due.id] = InFlight(one, proven, now)
                    self._sinks[one.due.id] = one.due.sink_id
                    self._unproven += not proven
                else:
                    ended.append(Result(one, message))
        if messages:
            self._sender.submit(messages, proven=proven)
        results.store(self._me, ended)
        return len(claimed)

    def _store(self, outcomes: Iterable[Outcome]) -> set[tuple[str, str]]:
        """Returns the sinks and orders of what was delivered."""
        found = []
        for outcome in outcomes:
            sink_id = self._sinks.pop(outcome.id)
            ways = self._in_flight[sink_id]
            way = ways.pop(outcome.id)
            if not ways:
                del self._in_flight[sink_id]
            self._unproven -= not way.proven
            if outcome.ok and not way.proven:
                # It is well again: what waits for it need not wait for the next look.
                self._claim_at = 0.0
            found.append(Result(way.claimed, outcome))
        results.store(self._me, found)
        return {(result.claimed.due.sink_id, result.claimed.due.order_id) for result in found if result.ok}

    def _finish_up(self, end: float) -> None:
        while self.under_way and (left := end - time.monotonic()) > 0:
            outcomes = self._sender.take(left, GATHER_SECONDS)
            if outcomes:
                self._store(outcomes)
        if self._sinks:
            claim.unclaim(self._me, list(self._sinks))


def _rendered(kind: str, ones: list[Claimed]) -> list[tuple[Claimed, Message | Outcome | None]]:
    """Each with its message, with None where there is nothing to tell, or with the failure to say it."""
    renderer = renderer_of(kind)
    try:
        if renderer is None:
            raise LookupError(kind)
        messages = renderer.render([one.due for one in ones])
    except DatabaseError:
        raise
    except Exception:
        if len(ones) > 1:
            # One that can't be put into words must not keep back the others.
            middle = len(ones) // 2
            return _rendered(kind, ones[:middle]) + _rendered(kind, ones[middle:])
        log.exception("delivery_not_rendered", kind=kind, order=ones[0].due.order_id)
        return [(ones[0], Outcome(ones[0].due.id, None, 0, results.NOT_RENDERED))]
    return [(one, messages.get(one.due.id)) for one in ones]


def _places(table: tuple[tuple[int, int], ...], under_way: int) -> int:
    return next(places for limit, places in table if under_way < limit)
