"""Attacks one after the other, or several at once, while the good clients work."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.attack import verdict
from tests.attack.attackers import ATTACKS, SHORT_SECONDS
from tests.attack.fixtures import Credentials, Spool, csrf_cookie, pair, pair_by_code, sources, stream_of
from tests.attack.good import (
    PROBE_SECONDS,
    SHORT_PROBE_SECONDS,
    SHORT_TRIES,
    TRIES,
    Channel,
    Measured,
    Probe,
    Wall,
    now,
    own_delay,
)
from tests.attack.report import Row
from tests.attack.tally import Site

ROOT = Path(__file__).resolve().parents[2]
CALM_SECONDS = 5.0
# After an attack: walls hear of the last orders.
AFTER_SECONDS = 0.5
SPOOL_PAUSE = 0.05
# More than any attack takes beyond its own seconds.
OVERDUE_SECONDS = 10.0


@dataclass(slots=True)
class AttackRunner:
    """The good ones, whom attacks come over. `shared`: attackers come from the same address as they.

    `enter` does what a manager does with a new screen's code, and returns what went wrong.
    """

    site: Site
    channel: Channel
    walls: list[Wall]
    spool: Spool
    enter: Callable[[str], str]
    shared: bool

    async def phase(self, name: str, attacks: Sequence[str]) -> Row:
        """Orders, probes and walls, while these attacks run at once; for a while without any if there are none."""
        row = Row(name, Measured())
        stop = asyncio.Event()
        began, already = now(), len(self.channel.sent)
        self.spool.begin()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.channel.run(row.measured, stop))
            tasks.create_task(own_delay(row.measured, stop))
            tasks.create_task(self._watch_spool(stop))
            for probe in self._probes():
                tasks.create_task(probe.run(row.measured, stop))
            try:
                await self._attack(row, attacks)
            finally:
                stop.set()
        await asyncio.sleep(AFTER_SECONDS)
        row.seconds = now() - began
        for wall in self.walls:
            wall.read(row.measured, self.channel.sent[already:], began, now())
        row.notes |= {"spooled bytes": self.spool.most_bytes, "spooled": self.spool.was_used}
        self._judge(row)
        await self.channel.cancel(row.measured.accepted)
        return row

    async def _attack(self, row: Row, attacks: Sequence[str]) -> None:
        if not attacks:
            await asyncio.sleep(CALM_SECONDS)
            return
        tallies = await asyncio.gather(*(self._attackers(each) for each in attacks))
        row.tallies = dict(zip(attacks, tallies, strict=True))
        if "pairing" in attacks:
            row.notes["pairing by code"] = await pair_by_code(self.site.port, self.enter) or "works"

    async def _attackers(self, name: str) -> dict[str, Any]:
        """The attack in a process of its own."""
        seconds = ATTACKS[name].seconds
        if self.site.short:
            seconds = min(seconds, SHORT_SECONDS)
        site = {**asdict(self.site), "seconds": seconds}
        del site["began"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.attack.attackers", name),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds + OVERDUE_SECONDS):
                output, errors = await process.communicate(json.dumps(site).encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise RuntimeError(f"The attackers of {name!r} failed:\n{errors.decode()[-3000:]}")
        tally: dict[str, Any] = json.loads(output)
        return tally

    def _probes(self) -> list[Probe]:
        port, seconds = self.site.port, SHORT_PROBE_SECONDS if self.site.short else PROBE_SECONDS
        return [
            Probe("livez", port, "/livez", seconds),
            Probe("readyz", port, "/readyz", seconds),
            Probe("metrics", port, "/metrics", seconds),
            Probe("livez of live", port + 1, "/livez", seconds),
        ]

    async def _watch_spool(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self.spool.look()
            await asyncio.sleep(SPOOL_PAUSE)

    def _judge(self, row: Row) -> None:
        row.wrong = verdict.complaints(row.measured)
        for name, tally in row.tallies.items():
            row.wrong += verdict.about_attackers(
                name, tally, holds=ATTACKS[name].holds, spooled=bool(row.notes["spooled"])
            )
        # Who shares the attackers' address shares its limits too.
        if not self.shared and row.notes.get("pairing by code", "works") != "works":
            row.wrong.append(f"pairing by code: {row.notes['pairing by code']}")


@asynccontextmanager
async def prepare(
    port: int,
    credentials: Credentials,
    spool: Spool,
    enter: Callable[[str], str],
    *,
    short: bool,
    shared: bool = False,
    rate: float = 20,
) -> AsyncIterator[AttackRunner]:
    """Pairs the screens; walls listen until the block is left. Raises SetupFailed."""
    cookies = [await pair(port, link) for link in credentials.links]
    walls = [Wall(await stream_of(port, cookie)) for cookie in cookies[:2]]
    site = Site(
        port=port,
        seconds=SHORT_SECONDS,
        sources=sources(shared),
        key=credentials.wrong,
        crowded_key=credentials.crowded,
        csrf=await csrf_cookie(port),
        screen=cookies[2],
        session=credentials.session,
        static=credentials.static,
        short=short,
    )
    channel = Channel(port, credentials.good, rate, SHORT_TRIES if short else TRIES)
    listening = [asyncio.create_task(wall.listen()) for wall in walls]
    try:
        yield AttackRunner(site, channel, walls, spool, enter, shared)
    finally:
        for task in listening:
            task.cancel()
        channel.close()
