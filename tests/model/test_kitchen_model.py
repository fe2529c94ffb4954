"""The model is checked by hand where a mistake in it would hide one of the product."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.model.kitchen_model import (
    CANCELLED,
    PICKED_UP,
    PREPARING,
    READY,
    RECEIVED,
    OrderModel,
    Refused,
    lift,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = {"auto_advance": True, "within": timedelta(minutes=30)}


def order(*items: int | None, status: int = RECEIVED) -> OrderModel:
    return OrderModel(status, dict(zip("ABCDE", items, strict=False)), [], NOW)


def test_what_items_stand_for() -> None:
    assert lift([RECEIVED, RECEIVED]) == RECEIVED
    assert lift([RECEIVED, PREPARING]) == lift([RECEIVED, READY]) == lift([RECEIVED, PICKED_UP]) == PREPARING
    assert lift([READY, PICKED_UP, CANCELLED]) == READY
    assert lift([PICKED_UP, CANCELLED]) == PICKED_UP
    assert lift([CANCELLED, CANCELLED]) == CANCELLED


def test_an_undone_lift_takes_its_order_down() -> None:
    model = order(None, None)
    model.move_item("A", READY, NOW, auto_advance=True)
    model.move_item("B", READY, NOW, auto_advance=True)
    assert model.status == READY
    model.recall("A", NOW, **LATER)
    assert (model.status, model.items) == (PREPARING, {"A": RECEIVED, "B": READY})
    model.recall("B", NOW, **LATER)
    assert (model.status, model.items) == (RECEIVED, {"A": RECEIVED, "B": RECEIVED})


def test_items_do_not_pull_an_order_below_where_it_was_put_itself() -> None:
    model = order(None, None)
    model.move(PREPARING, NOW)
    model.move_item("A", READY, NOW, auto_advance=True)
    model.move_item("B", READY, NOW, auto_advance=True)
    model.recall(None, NOW, **LATER)
    model.recall(None, NOW, **LATER)
    assert (model.status, model.items) == (PREPARING, {"A": PREPARING, "B": PREPARING})
    model.recall(None, NOW, **LATER)
    assert (model.status, model.items) == (RECEIVED, {"A": RECEIVED, "B": RECEIVED})


def test_a_change_is_taken_back_as_a_whole_or_not_at_all() -> None:
    model = order(None, None)
    model.move(PREPARING, NOW)
    model.move_item("A", READY, NOW, auto_advance=True)
    with pytest.raises(Refused, match="recall_blocked"):
        model.recall("B", NOW, **LATER)
    assert model.items == {"A": READY, "B": PREPARING}


def test_what_cannot_be_recalled() -> None:
    model = order(None)
    with pytest.raises(Refused, match="nothing_to_recall"):
        model.recall(None, NOW, **LATER)
    model.move(PREPARING, NOW)
    with pytest.raises(Refused, match="recall_expired"):
        model.recall(None, NOW + timedelta(minutes=31), **LATER)
    model.move(CANCELLED, NOW)
    with pytest.raises(Refused, match="cancellation_is_final"):
        model.recall(None, NOW, **LATER)
