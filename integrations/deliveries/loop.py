"""The loop: creates deliveries from the feed, sends those that are due, stores the results.

One process runs it at a time (`progress.hold`), beside the tasks of a worker. Its main thread alone uses the database;
the sender's thread sends. How receivers are isolated from each other: `claim`.
"""

import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from django.db import DatabaseError, Error, connections

from integrations.deliveries import claim, create, progress, results
from integrations.deliveries.kinds import Message, PendingDelivery, renderer_of
from integrations.deliveries.results import Result
from integrations.deliveries.sending import Outcome, Sender, connection_limit

log = structlog.get_logger(__name__)

# How often the feed is read, and resting receivers are looked at.
POLL_SECONDS: Final = 0.5
LATE_SECONDS: Final = 2.0
RENEW_SECONDS: Final = 1.0
# Outcomes that come within this time are written together.
GATHER_SECONDS: Final = 0.05
# Rendering many deliveries at once takes a moment in which nothing else is done.
CLAIM_LIMIT: Final = 300
# Before the next try where another process runs the loop, or after a failure.
RETRY_SECONDS: Final = 2.0
# What is in flight when the loop is stopped gets this time to end.
STOP_SECONDS: Final = 0.5


def run_until(stopped: Callable[[], bool]) -> None:
    """Run the loop until `stopped`, waiting where another process has it: what a worker runs beside its tasks."""
    while not stopped():
        try:
            run(stopped)
        except Error as error:
            log.warning("deliveries_interrupted", error=type(error).__name__)
        except Exception:
            log.exception("deliveries_failed")
        connections.close_all()
        _pause(stopped)


def run(stopped: Callable[[], bool]) -> bool:
    """Run the loop until `stopped`; False where another process has it. Raises database errors."""
    run_id = str(uuid.uuid4())
    if not progress.hold(run_id):
        return False
    with Sender() as sender:
        Loop(run_id, sender).run(stopped)
    progress.release(run_id)
    return True


def _pause(stopped: Callable[[], bool]) -> None:
    end = time.monotonic() + RETRY_SECONDS
    while not stopped() and time.monotonic() < end:
        time.sleep(0.2)


class Loop:
    def __init__(self, run_id: str, sender: Sender, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._run_id = run_id
        self._poll = poll_seconds
        self._sender = sender
        self._slots = connection_limit()
        # By the delivery's id; the ids of those to receivers that were not healthy when they were claimed.
        self._in_flight: dict[int, PendingDelivery] = {}
        self._unhealthy: set[int] = set()
        self._read_at = self._late_at = self._claim_at = 0.0
        self._renew_at = time.monotonic() + RENEW_SECONDS

    def run(self, stopped: Callable[[], bool]) -> None:
        while not stopped():
            if time.monotonic() >= self._renew_at:
                if not progress.hold(self._run_id):
                    log.warning("deliveries_taken_over")
                    return
                self._renew_at = time.monotonic() + RENEW_SECONDS
            self.turn()
        self._finish(time.monotonic() + STOP_SECONDS)

    def turn(self) -> int:
        """One round; returns how many deliveries were created, begun or ended."""
        count = self._read_feed()
        now = time.monotonic()
        if count or now >= self._claim_at:
            count += self._claim()
            self._claim_at = now + self._poll
        wait = max(0.0, min(self._read_at, self._claim_at) - time.monotonic())
        outcomes = self._sender.take(wait, GATHER_SECONDS)
        if outcomes:
            count += self._claim_following(self._store(outcomes))
        return count + len(outcomes)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def _read_feed(self) -> int:
        now = time.monotonic()
        if now < self._read_at:
            return 0
        late = now >= self._late_at
        count, more = create.make_deliveries(late=late)
        if late:
            self._late_at = now + LATE_SECONDS
        self._read_at = 0.0 if more else now + self._poll
        return count

    def _claim(self) -> int:
        count = self._send(self._claimed(healthy=True), healthy=True)
        return count + self._send(self._claimed(healthy=False), healthy=False)

    def _claim_following(self, ended: set[tuple[str, str]]) -> int:
        """Begin what comes next in orders of which a delivery has arrived."""
        return self._send(self._claimed(healthy=True, following=ended), healthy=True)

    def _claimed(
        self, *, healthy: bool, following: set[tuple[str, str]] | None = None
    ) -> list[PendingDelivery]:
        free = self._slots - len(self._in_flight)
        if not healthy:
            free = min(free, round(self._slots * claim.UNHEALTHY_SHARE) - len(self._unhealthy))
        deliveries = claim.claim(
            self._run_id,
            healthy=healthy,
            limit=min(free, CLAIM_LIMIT),
            in_flight=Counter(delivery.sink_id for delivery in self._in_flight.values()),
            following=following,
        )
        # A replay ends the lease of a delivery that is in flight: it is being sent already.
        return [delivery for delivery in deliveries if delivery.id not in self._in_flight]

    def _send(self, deliveries: list[PendingDelivery], *, healthy: bool) -> int:
        messages: list[tuple[int, Message]] = []
        unsent: list[Result] = []
        by_kind: defaultdict[str, list[PendingDelivery]] = defaultdict(list)
        for delivery in deliveries:
            by_kind[delivery.kind].append(delivery)
        for kind, of_kind in by_kind.items():
            for delivery, message in _render(kind, of_kind):
                if isinstance(message, Message):
                    messages.append((delivery.id, message))
                    self._in_flight[delivery.id] = delivery
                    if not healthy:
                        self._unhealthy.add(delivery.id)
                else:
                    unsent.append(Result(delivery, message))
        if messages:
            self._sender.submit(messages, healthy=healthy)
        results.store(self._run_id, unsent)
        return len(deliveries)

    def _store(self, outcomes: Iterable[Outcome]) -> set[tuple[str, str]]:
        """Store what became of attempts; returns receivers and orders of those that succeeded."""
        ended = [Result(self._in_flight.pop(outcome.id), outcome) for outcome in outcomes]
        results.store(self._run_id, ended)
        for result in ended:
            if result.ok and result.delivery.id in self._unhealthy:
                # The receiver is healthy now: what waits for it need not wait for the next poll.
                self._claim_at = 0.0
            self._unhealthy.discard(result.delivery.id)
        return {(result.delivery.sink_id, result.delivery.order_id) for result in ended if result.ok}

    def _finish(self, end: float) -> None:
        while self._in_flight and (left := end - time.monotonic()) > 0:
            outcomes = self._sender.take(left, GATHER_SECONDS)
            if outcomes:
                self._store(outcomes)
        if self._in_flight:
            claim.release(self._run_id, list(self._in_flight))


def _render(
    kind: str, deliveries: list[PendingDelivery]
) -> list[tuple[PendingDelivery, Message | Outcome | None]]:
    """Each delivery with its message, with None where there is nothing to send, or with the failure to render it."""
    renderer = renderer_of(kind)
    try:
        if renderer is None:
            raise LookupError(kind)
        messages = renderer.render(deliveries)
    except DatabaseError:
        raise
    except Exception:
        if len(deliveries) > 1:
            # One that can't be rendered must not hold up the others.
            middle = len(deliveries) // 2
            return _render(kind, deliveries[:middle]) + _render(kind, deliveries[middle:])
        log.exception("delivery_not_rendered", kind=kind, order=deliveries[0].order_id)
        return [(deliveries[0], Outcome(deliveries[0].id, None, 0, results.NOT_RENDERED))]
    return [(delivery, messages.get(delivery.id)) for delivery in deliveries]
