"""What a client may conclude from an answer, and that the checks find what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from huuva.ops.simulation.rush import Planned, Step, plan_rush
from tests.chaos import consistency
from tests.chaos.amending import Wish, amend_model
from tests.chaos.boards import pickup_board
from tests.chaos.ledger import Entry, Ledger, Meaning, judge
from tests.chaos.rush import _apply
from tests.chaos.stored import Check, Stored
from tests.model.kitchen_model import PICKED_UP, PREPARING, READY, RECEIVED, OrderModel

PROBLEM = {"Content-Type": "application/problem+json"}
LATER = {**PROBLEM, "Retry-After": "2"}


def answer(status: int, headers: dict[str, str], **body: Any) -> Any:
    return judge(status, headers, json.dumps(body).encode())


def test_a_2xx_is_done_for_good() -> None:
    verdict = answer(201, {"Content-Type": "application/json"}, id="1")
    assert (verdict.meaning, verdict.body, verdict.wrong) == (Meaning.DONE, {"id": "1"}, "")


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_is_final(status: int) -> None:
    verdict = answer(status, PROBLEM, code="impossible_move")
    assert (verdict.meaning, verdict.code, verdict.wrong) == (Meaning.REFUSED, "impossible_move", "")


@pytest.mark.parametrize(
    ("status", "code"),
    [(503, "database_unavailable"), (429, "rate_limited"), (409, "idempotency_in_progress")],
)
def test_what_says_later_is_no_answer_yet(status: int, code: str) -> None:
    verdict = answer(status, LATER, code=code)
    assert (verdict.meaning, verdict.wait, verdict.wrong) == (Meaning.LATER, 2.0, "")
    assert "when to come again" in answer(status, PROBLEM, code=code).wrong


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_fault_is_wrong_and_says_nothing_of_what_was_done(status: int) -> None:
    verdict = answer(status, LATER, code="internal_error")
    assert verdict.meaning is Meaning.UNKNOWN
    assert verdict.wrong


def test_an_answer_that_is_no_json_is_wrong() -> None:
    assert judge(200, {}, b"<html>").wrong
    assert judge(503, LATER, b"<html>").wrong
    assert answer(503, {"Retry-After": "2", "Content-Type": "text/html"}).wrong


# --- The checks ---------------------------------------------------------------------------------------------------


@pytest.fixture
def plan() -> Planned:
    return plan_rush(1, 20, 30)[0]


@pytest.fixture
def entry(plan: Planned) -> Entry:
    """An order that was acknowledged, and moved on once."""
    body = {**plan.body, "channelOrderId": "mark"}
    entry = Entry("mark", plan, "id-1", body)
    model = OrderModel(RECEIVED, {item["plu"]: None for item in body["items"]}, [], datetime.now(UTC))
    entry.acknowledge(model)
    assert _apply(model, Step(0, READY)) == ""
    entry.changed.add("mark/1")
    entry.unchanged.add("mark/2")
    return entry


@pytest.fixture
def order(entry: Entry) -> Stored:
    """The same order as the database should have it."""
    model = entry.model
    assert model is not None
    quantities = {item["plu"]: item["quantity"] for item in entry.body["items"]}
    reasons = {"": {1}, "mark/1": {2}}
    return Stored(
        "id-1",
        model.status,
        model.version,
        dict(model.items),
        quantities,
        list(model.history),
        reasons,
        note=entry.note,
    )


@pytest.fixture
def ledger(entry: Entry) -> Ledger:
    ledger = Ledger()
    ledger.open(entry)
    return ledger


def complaints(ledger: Ledger, *orders: Stored) -> int:
    by_mark = {"mark": list(orders)} if orders else {}
    checks: list[Check] = [
        consistency._acknowledged(ledger, by_mark),
        consistency._as_the_model_says(ledger, by_mark),
        consistency._moves(ledger, by_mark),
        consistency._amendments(ledger, by_mark),
        consistency._histories(list(orders)),
        consistency._orders_and_items(list(orders)),
    ]
    return sum(len(check.wrong) for check in checks)


def test_consistent_data_is_not_complained_of(ledger: Ledger, order: Stored) -> None:
    assert complaints(ledger, order) == 0


def test_an_acknowledged_order_that_is_lost_or_doubled_is_found(ledger: Ledger, order: Stored) -> None:
    assert complaints(ledger) > 0
    assert complaints(ledger, order, order) > 0


def test_an_order_without_a_create_is_reported(order: Stored) -> None:
    assert complaints(Ledger(), order) > 0


def test_an_order_without_one_of_its_items_is_found(ledger: Ledger, order: Stored) -> None:
    order.quantities.popitem()
    assert complaints(ledger, order) > 0


def test_a_move_that_is_lost_or_done_twice_is_found(ledger: Ledger, order: Stored, entry: Entry) -> None:
    entry.contested = True  # by its reason alone
    order.changes_by_reason["mark/1"] = {2, 3}
    assert complaints(ledger, order) > 0
    del order.changes_by_reason["mark/1"]
    assert complaints(ledger, order) > 0


def test_a_refused_move_that_was_done_all_the_same_is_found(
    ledger: Ledger, order: Stored, entry: Entry
) -> None:
    entry.contested = True
    order.changes_by_reason["mark/2"] = {3}
    assert complaints(ledger, order) > 0


def test_a_status_that_history_does_not_tell_is_found(ledger: Ledger, order: Stored, entry: Entry) -> None:
    entry.contested = True
    order.status = RECEIVED
    assert complaints(ledger, order) > 0


def test_a_missing_history_row_is_found(ledger: Ledger, order: Stored, entry: Entry) -> None:
    entry.contested = True
    del order.rows[1]
    assert complaints(ledger, order) > 0


def test_items_that_contradict_their_order_are_found(ledger: Ledger, order: Stored, entry: Entry) -> None:
    entry.contested = True
    plu = next(iter(order.items))
    order.items[plu] = RECEIVED
    order.rows = [row for row in order.rows if row.plu != plu or row.after == RECEIVED]
    assert complaints(ledger, order) > 0


def test_a_lost_doubled_or_refused_amendment_is_reported(ledger: Ledger, order: Stored, entry: Entry) -> None:
    wish = Wish("mark/a1", None, "Ring", "")
    assert amend_model(entry, wish) == ""
    order.version, order.note, order.amendments = order.version + 1, "Ring", {order.version + 1: "mark/a1"}
    assert complaints(ledger, order) == 0

    for wrong in (
        replace(order, amendments={}),
        replace(order, amendments={**order.amendments, 9: "mark/a1"}),
        replace(order, amendments={**order.amendments, 9: "mark/a2"}),
        replace(order, note="Knock"),
    ):
        assert complaints(ledger, wrong) > 0


def test_a_missing_amended_quantity_is_reported(ledger: Ledger, order: Stored, entry: Entry) -> None:
    plu = next(iter(order.quantities))
    assert amend_model(entry, Wish("mark/a1", plu, 99, "")) == ""

    assert complaints(ledger, order) > 0


class Shown:
    """Stands in for a pickup board."""

    def __init__(self, preparing: list[str], ready: list[str]) -> None:
        self._halves = {"preparing": preparing, "ready": ready}

    def board(self) -> str:
        return "".join(
            f'<section aria-labelledby="{half}-title">{"".join(f"<li data-number={n}>{n}</li>" for n in numbers)}</section>'
            for half, numbers in self._halves.items()
        )


@pytest.mark.parametrize(
    ("preparing", "ready", "fine"),
    [
        (["1"], ["2"], True),
        (["1", "3"], ["2"], True),  # nobody has begun it: shown as soon as it is due soon
        (["1", "3", "3"], ["2"], False),
        ([], ["2"], False),
        (["1", "2"], ["2"], False),
        (["1"], [], False),
        (["1"], ["2", "2"], False),
    ],
)
def test_a_pickup_board_that_shows_others_than_the_database_has_is_found(
    preparing: list[str], ready: list[str], fine: bool
) -> None:
    orders = [
        Stored("a", PREPARING, 1, display="1"),
        Stored("b", READY, 1, display="2"),
        Stored("c", RECEIVED, 1, display="3"),
        Stored("d", PICKED_UP, 1, display="4"),
    ]

    check = pickup_board(orders, Shown(preparing, ready))  # type: ignore[arg-type]

    assert (check.wrong == []) is fine
