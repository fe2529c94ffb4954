"""The rules of the wall, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from kitchen_display.configuration import best_stations
from kitchen_display.wall import is_on_wall, standing_changes
from orders.models import Kitchen
from orders.statuses import CANCELLED, PREPARING, READY, RECEIVED

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
KITCHEN = Kitchen(release_minutes=20)


@pytest.mark.parametrize(
    ("due_in", "status", "items", "changes", "on_wall"),
    [
        (20, RECEIVED, [RECEIVED], (), True),
        (21, RECEIVED, [RECEIVED], (), False),
        (600, PREPARING, [RECEIVED], (), True),
        (600, RECEIVED, [RECEIVED, READY], (), True),
        (600, RECEIVED, [RECEIVED, CANCELLED], (), False),
        (600, RECEIVED, [RECEIVED], {"": {"due_at": "…"}}, True),
    ],
    ids=["released", "in the rail", "begun", "an item begun", "an item cancelled", "postponed unseen"],
)
def test_an_order_is_on_the_wall_once_released_begun_or_changed(due_in, status, items, changes, on_wall):
    due_at = NOW + timedelta(minutes=due_in)
    assert (
        is_on_wall(KITCHEN, NOW, due_at=due_at, status=status, item_statuses=items, changes=changes)
        is on_wall
    )


def test_a_value_that_is_as_it_was_is_no_standing_change():
    before = {"quantity": 2, "note": ""}
    assert standing_changes(before, {"quantity": 2, "note": "hot"}) == {"note": ""}


@pytest.mark.parametrize(
    ("plu", "stations"),
    [
        ("A0", {"hot"}),
        ("A1x", {"cold"}),
        ("A2", {"exact"}),
        ("A2~2", {"exact"}),
        ("AA", {"hot", "grill"}),
        ("B", set()),
    ],
)
def test_the_longest_rule_wins_and_an_exact_one_before_any_prefix(plu, stations):
    rules = [("hot", "A", True), ("cold", "A1", True), ("exact", "A2", False), ("hot", "AA", True)]
    assert best_stations(plu, [*rules, ("grill", "AA", True)])[1] == stations
