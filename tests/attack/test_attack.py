"""The short form of `make attack`: smaller attacks, all at once. It asserts counts; `make attack` judges times."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.attack import verdict
from tests.attack.attackers import ATTACKS, SHORT
from tests.attack.fixtures import Credentials, Spool
from tests.attack.phases import prepare
from tests.attack.report import Row
from tests.live_stack import LiveStack

ORDERS_A_SECOND = 5


@pytest.fixture(scope="module")
def row(live_stack: LiveStack) -> Row:
    """What happened while all of them attacked. The stack's web writes its temporary files into a folder of its own."""
    spool = Spool(live_stack.home)
    usual = dict(live_stack.environment)
    live_stack.environment |= spool.environment
    live_stack.stop_web()
    live_stack.start_web()
    live_stack.start_live()
    live_stack.environment = usual
    return asyncio.run(attacked(live_stack, spool))


async def attacked(stack: LiveStack, spool: Spool) -> Row:
    credentials = Credentials(**json.loads(in_stack(stack, "create_data_as_json(short=True)")))

    def enter(code: str) -> str:
        return in_stack(stack, f"enter_code_of({code!r})")

    async with prepare(stack.port, credentials, spool, enter, short=True, rate=ORDERS_A_SECOND) as runner:
        return await runner.phase("all at once", SHORT)


def in_stack(stack: LiveStack, call: str) -> str:
    """What a function of the fixtures returns on the stack's database."""
    code = f"from tests.attack import fixtures; print(fixtures.{call})"
    return stack.manage("shell", "--no-imports", "--command", code).strip()


def test_every_order_is_accepted_during_attacks(row: Row) -> None:
    assert len(row.measured.times) >= 20
    assert row.measured.lost == 0
    assert len(row.measured.accepted) == len(row.measured.times)
    assert row.measured.failed["no answer"] == 0


@pytest.mark.parametrize("probe", ["livez", "readyz", "metrics", "livez of live"])
def test_probes_are_answered_while_the_pool_is_full(row: Row, probe: str) -> None:
    assert row.measured.statuses[probe]
    assert row.measured.unanswered[probe] == 0


@pytest.mark.parametrize("attack", [name for name in SHORT if ATTACKS[name].holds])
def test_the_server_ends_every_stalled_connection(row: Row, attack: str) -> None:
    tally = row.tallies[attack]
    assert tally["opened"] > 0
    assert tally["held"] == {}
    assert tally["ended"] == tally["opened"]


def test_files_are_refused_and_nothing_is_spooled(row: Row) -> None:
    tally = row.tallies["uploads"]
    assert tally["opened"] > 0
    assert tally["answers"].keys() <= set(verdict.UPLOAD_REFUSED)
    assert tally["held"] == {}
    assert row.notes["spooled bytes"] == 0
    assert not row.notes["spooled"]


def test_a_screen_is_paired_by_code_beside_a_thousand_strangers(row: Row) -> None:
    assert row.tallies["pairing"]["opened"] > 0
    assert row.notes["pairing by code"] == "works"


def test_no_stranger_brings_about_a_fault(row: Row) -> None:
    answers = {label for tally in row.tallies.values() for label in tally["answers"]}
    assert answers.isdisjoint(verdict.FAULTS)


def test_walls_hear_of_orders_while_strangers_attack(row: Row) -> None:
    assert row.measured.hints
    assert row.measured.streams <= 2
