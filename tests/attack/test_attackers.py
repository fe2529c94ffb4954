"""The attackers notice what a server does: one that accepts everything, one that closes, one that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.attack import verdict
from tests.attack.attackers import ATTACKS, attack
from tests.attack.fixtures import Spool
from tests.attack.good import Measured, Wall, percentile
from tests.attack.tally import Site

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HOLDING = [name for name, each in ATTACKS.items() if each.holds]


async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        pass
    writer.close()


async def strict(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.close()


async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
    while await reader.read(65536):
        pass
    writer.close()


async def accepting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    while await reader.read(65536):
        pass
    writer.close()


def attacked(name: str, serve: Serve, seconds: float = 1.0) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                writer.close()

        server = await asyncio.start_server(quietly, "127.0.0.1", 0, backlog=500)
        port = server.sockets[0].getsockname()[1]
        async with server:
            site = Site(port, seconds, ["127.0.0.2"], "key", "key", "csrf", "a=b", "s=t", ["/static/x"], True)
            return (await attack(name, site)).as_json()

    return asyncio.run(run())


def complaints(name: str, tally: dict[str, Any], *, spooled: bool = False) -> list[str]:
    return verdict.about_attackers(name, tally, holds=ATTACKS[name].holds, spooled=spooled)


@pytest.mark.parametrize("name", HOLDING)
def test_a_server_that_bears_with_it_is_complained_of(name: str) -> None:
    tally = attacked(name, patient)
    assert tally["opened"] == sum(tally["held"].values()) > 0
    assert tally["ended"] == 0
    assert complaints(name, tally)


@pytest.mark.parametrize("name", HOLDING)
def test_a_server_that_ends_connections_is_right(name: str) -> None:
    tally = attacked(name, strict, 5)
    assert tally["ended"] == tally["opened"] > 0
    assert tally["held"] == {}
    assert complaints(name, tally) == []


def test_refused_uploads_are_right_and_accepted_ones_are_not() -> None:
    assert complaints("uploads", attacked("uploads", refusing, 5)) == []
    assert complaints("uploads", attacked("uploads", accepting, 5))
    assert complaints("uploads", attacked("uploads", refusing, 5), spooled=True)


@pytest.mark.parametrize("name", ["logins", "wrong-keys", "not-found", "boards", "pipelined", "slow-readers"])
def test_floods_end_by_themselves(name: str) -> None:
    tally = attacked(name, accepting, 1.5)
    assert tally["opened"] > 0
    assert "overdue" not in tally["answers"]


def test_a_file_that_came_and_went_counts_as_spooled(tmp_path: Any) -> None:
    spool = Spool(tmp_path)
    spool.begin()
    assert not spool.was_used
    (tmp_path / "spool" / "a.upload").write_bytes(b"1234")
    spool.look()
    (tmp_path / "spool" / "a.upload").unlink()
    assert spool.was_used
    assert spool.most_bytes == 4


def test_good_ones_complain_of_what_is_late_lost_or_silent() -> None:
    assert verdict.complaints(Measured(times=[0.01] * 100)) == []
    for measured in (
        Measured(times=[0.3] * 100),
        Measured(lost=1),
        Measured(probes={"livez": [1.5]}),
        Measured(silence=6),
        Measured(hints=[7]),
    ):
        assert len(verdict.complaints(measured)) == 1


def test_a_wall_measures_silence_and_the_way_of_hints() -> None:
    wall, measured = Wall("http://127.0.0.1:1/live/streams?token=x"), Measured()
    wall.events += [(1.0, "hello"), (2.0, "beat"), (5.0, "hint")]
    wall.read(measured, [(3.0, 4.0)], 1.0, 6.0)
    assert measured.silence == 3.0
    assert measured.hints == [1.0]
    assert measured.streams == 1


def test_a_percentile_is_a_time_that_was_measured() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([*range(1, 101)], 0.99) == 99
    assert percentile([], 0.99) == 0
