"""Live with a thousand screens: what the process needs while nothing happens, and how soon all hear a hint. Then with
two thousand in a dinner rush."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
import redis

from bench.load import BenchFailed
from bench.measure import CpuClock
from core.addresses import redis_url
from core.home import secret_file
from core.stream_channels import ORDERS, channel, message
from core.stream_tokens import make_token, stream_url
from core.valkey_client import ValkeyClient
from kitchen_display.hints import Publisher

STREAMS = 1000
IDLE_SECONDS = 20
HINTS = 50
GOAL_MEBIBYTES = 150
GOAL_CPU_PERCENT = 10.0
GOAL_HINT_P95_MS = 150.0
KITCHEN = "bench"
# The rush: kitchens of four screens each, and their changes in turn.
BUSY_STREAMS = 2000
BUSY_KITCHENS = 500
CHANGES_A_SECOND = 200
BUSY_SECONDS = 30
# Opened so many at a time: a wall that starts is one, not a thousand.
AT_ONCE = 50


@dataclass(frozen=True)
class BusyResult:
    """Memory and CPU of all processes of live together; CPU in percent of one core."""

    streams: int
    changes: int
    seconds: float
    hints: int
    lost: int
    mebibytes: float
    cpu_percent: float
    hint_p50_ms: float
    hint_p95_ms: float
    hint_max_ms: float

    def line(self) -> str:
        return (
            f"live, {self.streams:,} streams and {self.changes / self.seconds:.0f} changes a second for "
            f"{self.seconds:.0f} s: {self.mebibytes:.0f} MiB, {self.cpu_percent:.1f} % of a core, "
            f"{self.hints / self.seconds:.0f} hints a second to screens; from publish until a screen has it: "
            f"p50 {self.hint_p50_ms:.1f}, p95 {self.hint_p95_ms:.1f}, worst {self.hint_max_ms:.1f} ms"
        )


@dataclass(frozen=True)
class LiveResult:
    """Memory and CPU of all processes of live together; CPU in percent of one core."""

    streams: int
    mebibytes: float
    cpu_percent: float
    hint_p50_ms: float
    hint_p95_ms: float
    hint_max_ms: float
    lost_hints: int
    note_hint_us: float  # what a web request pays for its hint
    busy: BusyResult

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        return [
            f"live, {self.streams:,} streams idle for {IDLE_SECONDS} s: {self.mebibytes:.0f} MiB "
            f"(goal ≤ {GOAL_MEBIBYTES}), {self.cpu_percent:.1f} % of a core (goal ≤ {GOAL_CPU_PERCENT:.0f} %)",
            f"live, from publish until a screen has it: p50 {self.hint_p50_ms:.1f}, p95 {self.hint_p95_ms:.1f}, "
            f"worst {self.hint_max_ms:.1f} ms (goal for all the way to the wall ≤ {GOAL_HINT_P95_MS:.0f})",
            f"a request notes its hint in {self.note_hint_us:.0f} µs",
            self.busy.line(),
        ]

    def wrong(self) -> Iterable[str]:
        if self.lost_hints:
            yield f"live: {self.lost_hints} hints did not arrive"
        if self.busy.lost:
            yield f"live: {self.busy.lost} hints of the rush did not arrive"


class Screen(asyncio.Protocol):
    """One stream: notes when its hello and its hints come."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.hello = asyncio.get_running_loop().create_future()
        self.hint_times: list[float] = []
        self.broken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  (a TCP connection can be written to)
        self.transport = transport
        transport.write(f"GET {self.url} HTTP/1.1\r\nHost: live\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if b"event: hint" in data:
            self.hint_times.append(time.perf_counter())
        if not self.hello.done() and b"event: hello" in data:
            self.hello.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.broken = True


def measure_live(home: Path, port: int, processes: list[psutil.Process]) -> LiveResult:
    """`home` is the stack's, `processes` are live's. Raises BenchFailed."""
    _raise_file_limit()
    return asyncio.run(_measure(home, port, processes))


async def _measure(home: Path, port: int, processes: list[psutil.Process]) -> LiveResult:
    secret, url = secret_file(home, "secret-key"), redis_url(home)
    screens = await _open_all(port, secret, [KITCHEN] * STREAMS)
    try:
        await asyncio.sleep(3)  # past the noise of opening
        clock = CpuClock(lambda: processes)
        await asyncio.sleep(IDLE_SECONDS)
        cpu_percent = clock.used() / IDLE_SECONDS * 100
        mebibytes = sum(process.memory_info().rss for process in processes) / 2**20
        milliseconds = await _hints(url, screens)
        if any(screen.broken for screen in screens):
            raise BenchFailed("Live ended streams during the measurement: see its log.")
    finally:
        for screen in screens:
            screen.transport.close()
    p95 = quantiles(milliseconds, n=20)[-1]
    busy = await _measure_busy(port, secret, url, processes)
    return LiveResult(
        busy=busy,
        streams=len(screens),
        mebibytes=round(mebibytes, 1),
        cpu_percent=round(cpu_percent, 2),
        hint_p50_ms=round(median(milliseconds), 2),
        hint_p95_ms=round(p95, 2),
        hint_max_ms=round(max(milliseconds), 2),
        lost_hints=len(screens) * HINTS - len(milliseconds),
        note_hint_us=round(_note_hint_us(url), 1),
    )


async def _measure_busy(port: int, secret: str, url: str, processes: list[psutil.Process]) -> BusyResult:
    kitchens = [f"{KITCHEN}-{number}" for number in range(BUSY_KITCHENS)]
    screens = await _open_all(port, secret, kitchens * (BUSY_STREAMS // BUSY_KITCHENS))
    try:
        await asyncio.sleep(3)  # past the noise of opening
        clock, began = CpuClock(lambda: processes), time.perf_counter()
        published = await _rush(url, kitchens)
        seconds = time.perf_counter() - began
        cpu_percent = clock.used() / seconds * 100
        mebibytes = sum(process.memory_info().rss for process in processes) / 2**20
        await asyncio.sleep(1)  # what is on its way
        if any(screen.broken for screen in screens):
            raise BenchFailed("Live ended streams during the rush: see its log.")
    finally:
        for screen in screens:
            screen.transport.close()
    # Each screen hears its kitchen's changes in turn; they come seconds apart, so none stands for another.
    expected = [(screen, published[kitchens[place % BUSY_KITCHENS]]) for place, screen in enumerate(screens)]
    times = [
        (received - began) * 1000
        for screen, changes in expected
        for received, began in zip(screen.hint_times, changes, strict=False)
    ]
    return BusyResult(
        streams=len(screens),
        changes=sum(len(changes) for changes in published.values()),
        seconds=round(seconds, 1),
        hints=len(times),
        lost=sum(len(changes) - len(screen.hint_times) for screen, changes in expected),
        mebibytes=round(mebibytes, 1),
        cpu_percent=round(cpu_percent, 2),
        hint_p50_ms=round(median(times), 2),
        hint_p95_ms=round(quantiles(times, n=20)[-1], 2),
        hint_max_ms=round(max(times), 2),
    )


async def _rush(url: str, kitchens: list[str]) -> dict[str, list[float]]:
    """When each kitchen's changes were published."""
    published: dict[str, list[float]] = {kitchen: [] for kitchen in kitchens}
    began = time.perf_counter()
    with redis.Redis.from_url(url) as client:
        for number in range(CHANGES_A_SECOND * BUSY_SECONDS):
            # By the clock, so that a slow moment is made up for and not left out.
            await asyncio.sleep(max(0.0, began + number / CHANGES_A_SECOND - time.perf_counter()))
            kitchen = kitchens[number % len(kitchens)]
            published[kitchen].append(time.perf_counter())
            client.publish(channel(kitchen), message(ORDERS, time.time_ns() // 1_000_000))
    return published


async def _open_all(port: int, secret: str, kitchens: list[str]) -> list[Screen]:
    screens: list[Screen] = []
    for first in range(0, len(kitchens), AT_ONCE):
        wanted = enumerate(kitchens[first : first + AT_ONCE], first)
        screens += await asyncio.gather(*(_open(port, secret, *screen) for screen in wanted))
    return screens


async def _open(port: int, secret: str, number: int, kitchen: str) -> Screen:
    url = stream_url("", make_token(secret, kitchen, number))
    _, screen = await asyncio.get_running_loop().create_connection(lambda: Screen(url), "127.0.0.1", port)
    try:
        await asyncio.wait_for(screen.hello, 20)
    except TimeoutError:
        raise BenchFailed(f"Stream {number + 1} did not open.") from None
    return screen


async def _hints(url: str, screens: list[Screen]) -> list[float]:
    """For each hint and each screen, the milliseconds from publishing to reading."""
    times: list[float] = []
    with redis.Redis.from_url(url) as client:
        for number in range(HINTS):
            began = time.perf_counter()
            client.publish(channel(KITCHEN), message(ORDERS, time.time_ns() // 1_000_000))
            deadline = began + 5
            while (
                any(len(screen.hint_times) <= number for screen in screens) and time.perf_counter() < deadline
            ):
                await asyncio.sleep(0.02)
            times += [
                (screen.hint_times[number] - began) * 1000
                for screen in screens
                if len(screen.hint_times) > number
            ]
    return times


def _note_hint_us(url: str) -> float:
    """Median time that `publish` takes from a request."""
    publisher = Publisher(ValkeyClient(url))
    times = []
    for _ in range(500):
        began = time.perf_counter()
        publisher.publish(KITCHEN, ORDERS)
        times.append(time.perf_counter() - began)
        publisher.flush(1)
    return median(times) * 1_000_000


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < BUSY_STREAMS + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
