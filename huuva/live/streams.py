"""The open streams of this process: one tick for all, and hints by kitchen."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from core.stream_channels import Hint
from core.stream_tokens import LIFETIME_SECONDS, Grant

TICK_SECONDS: Final = 2.0
# A stream that takes nothing for this long is dropped; its screen reconnects by itself.
STALLED_SECONDS: Final = 3 * TICK_SECONDS
# Each loss of Wi-Fi leaves a stream that looks open for minutes. Only the newest streams of a screen stay open.
MOST_FOR_ONE_SCREEN: Final = 16
# Each is stored for the lifetime of its tokens. There are a few a day; more than this is a mistake.
MOST_ENDED: Final = 10_000
# A longer delay means a wrong clock, or a hint that waited for Valkey.
LONGEST_DELAY_SECONDS: Final = 60.0
# After hints were missed: fetch everything.
RESYNC: Final = "resync"


class Stream:
    """One connected screen. Of each kind of event at most one waits to be sent, so they can't pile up."""

    __slots__ = ("_closed", "_waiting", "_waiting_since", "_wake", "drop", "grant")

    def __init__(self, grant: Grant, drop: Callable[[], object]) -> None:
        self.grant = grant
        self.drop = drop  # ends the connection at once, also while it takes nothing
        self._waiting: dict[str, bytes] = {}
        self._waiting_since = 0.0
        self._wake: asyncio.Future[None] | None = None
        self._closed = False

    def offer(self, name: str, event: bytes) -> None:
        """Send the event as soon as the client reads; it replaces a waiting one of the same name. Ignored once the
        stream is closed."""
        if self._closed:
            return
        if not self._waiting:
            self._waiting_since = time.monotonic()
        self._waiting[name] = event
        self._wake_up()

    @property
    def is_closed(self) -> bool:
        return self._closed

    def waits(self, name: str) -> bool:
        """Whether an event of that name has not been sent yet."""
        return name in self._waiting

    def close(self) -> None:
        """Ends the stream after the events that wait."""
        self._closed = True
        self._wake_up()

    def stalled(self, now: float) -> bool:
        return bool(self._waiting) and now - self._waiting_since > STALLED_SECONDS

    async def take(self) -> bytes | None:
        """What to write next; None at the end."""
        while not self._waiting:
            if self._closed:
                return None
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        chunk = b"".join(self._waiting.values())
        self._waiting.clear()
        return chunk

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class Streams:
    """All streams of this process. `counts` is for the metrics."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.valkey_up = False
        self.counts = {"opened": 0, "dropped": 0, "revoked": 0, "hints_received": 0, "hints_passed": 0}
        self.delay_seconds = 0.0  # of all received hints, from commit to here
        self._by_kitchen: dict[str, dict[Stream, None]] = {}
        self._by_screen: dict[tuple[str, str], deque[Stream]] = {}
        self._count = 0
        self._ended: dict[str, float] = {}  # pairing → until when

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Stream]:
        for streams in self._by_kitchen.values():
            yield from streams

    @property
    def is_full(self) -> bool:
        return self._count >= self.most

    def open(self, grant: Grant, drop: Callable[[], object]) -> Stream:
        """A new stream, which gets every event from now on, first a hello."""
        stream = Stream(grant, drop)
        self._by_kitchen.setdefault(grant.kitchen, {})[stream] = None
        self._count += 1
        self.counts["opened"] += 1
        of_screen = self._by_screen.setdefault((grant.kitchen, grant.screen), deque())
        of_screen.append(stream)
        if len(of_screen) > MOST_FOR_ONE_SCREEN:
            self._drop(of_screen[0])
        stream.offer("hello", self._timed_event("hello"))
        return stream

    def remove(self, stream: Stream) -> None:
        """Removes a stream that has ended; may be called twice."""
        kitchen, screen = stream.grant.kitchen, (stream.grant.kitchen, stream.grant.screen)
        streams = self._by_kitchen.get(kitchen, {})
        if stream not in streams:
            return
        del streams[stream]
        self._by_screen[screen].remove(stream)
        self._count -= 1
        if not streams:
            del self._by_kitchen[kitchen]
        if not self._by_screen[screen]:
            del self._by_screen[screen]

    def end_pairing(self, pairing: str) -> None:
        """Ends the streams of a browser that is no longer the screen, and refuses new ones. Waiting events are still
        sent: among them the hint that tells its page."""
        if not pairing:
            return
        self._ended.pop(pairing, None)
        while len(self._ended) >= MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        self._ended[pairing] = time.time() + LIFETIME_SECONDS
        for stream in self:
            if stream.grant.pairing == pairing and not stream.is_closed:
                self.counts["revoked"] += 1
                stream.close()

    def has_ended(self, pairing: str) -> bool:
        return pairing in self._ended

    def tick(self) -> None:
        """Sends the heartbeat to all streams; ends those that have expired or aren't read."""
        beat, now, wall = self._timed_event("beat"), time.monotonic(), time.time()
        self._ended = {pairing: until for pairing, until in self._ended.items() if until > wall}
        for stream in list(self):
            if stream.stalled(now):
                self._drop(stream)
            elif stream.grant.expires_at <= wall:
                stream.close()
            else:
                stream.offer("beat", beat)

    def hint(self, hint: Hint) -> None:
        """Something changed in a kitchen: tell its screens to fetch their boards."""
        self.counts["hints_received"] += 1
        delay = 0.0 if hint.at_ms is None else time.time() - hint.at_ms / 1000
        if 0 < delay < LONGEST_DELAY_SECONDS:
            self.delay_seconds += delay
        fields: dict[str, object] = {"kind": hint.kind}
        if hint.at_ms is not None:
            fields["at"] = hint.at_ms
        event = {**fields, "moment": hint.moment} if hint.moment else fields
        self._hint(self._by_kitchen.get(hint.kitchen, {}), hint.kind, fields, event)

    def set_valkey(self, up: bool) -> None:
        """Tell every screen at once: without Valkey they poll; when it is back they fetch what they may have missed."""
        if up == self.valkey_up:
            return
        self.valkey_up = up
        if up:
            self._hint(self, RESYNC, {"kind": RESYNC})
        self.tick()

    def close(self) -> None:
        for stream in self:
            stream.close()

    def _hint(
        self,
        streams: Iterable[Stream],
        kind: str,
        fields: dict[str, object],
        with_stamp: dict[str, object] | None = None,
    ) -> None:
        plain, full = _event("hint", fields), _event("hint", with_stamp or fields)
        for stream in streams:
            # It also replaces one that still waits, whose stamp may be later: then it carries no stamp.
            stream.offer(kind, plain if stream.waits(kind) else full)
            self.counts["hints_passed"] += 1

    def _timed_event(self, name: str) -> bytes:
        now: dict[str, object] = {"now": time.time_ns() // 1_000_000}
        return _event(name, now if self.valkey_up else {**now, "valkey": False})

    def _drop(self, stream: Stream) -> None:
        self.counts["dropped"] += 1
        self.remove(stream)
        stream.drop()


def _event(name: str, data: dict[str, object]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
