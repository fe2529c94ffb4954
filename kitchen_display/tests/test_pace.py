"""Busy mode from the wall: one screen sets it, all screens of the kitchen show it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kitchen_display.board import read_board
from kitchen_display.tests import factories as make
from orders import clock
from orders.models import KitchenPace
from orders.pace import pace_of, set_pace
from orders.tests.factories import kitchen

pytestmark = pytest.mark.django_db

BUSY = {"mode": "busy", "busy_minutes": "20", "preparation_minutes": ""}


def test_a_cook_marks_the_kitchen_busy_and_all_its_walls_show_that():
    expo, grill = make.screen("Expo"), make.screen("Grill")
    other = make.screen("Other", of=kitchen("other"))
    wall = make.paired(expo)
    before = read_board(grill, clock.now()).version
    assert wall.post("/display/pace", BUSY).status_code == 303
    pace = pace_of("main")
    assert (pace.mode, pace.busy_minutes, pace.preparation_minutes) == ("busy", 20, None)
    assert pace.changed_by == expo.actor
    shown = read_board(grill, clock.now())
    assert (shown.pace, shown.busy_minutes) == ("busy", 20)
    assert shown.version != before
    assert read_board(other, clock.now()).pace == "online"
    assert "Busy: +20 min" in wall.get("/display/board").content.decode()
    assert 'value="busy" selected' in wall.get("/display/").content.decode()


def test_a_pause_and_its_end():
    wall = make.paired(make.screen())
    wall.post("/display/pace", {**BUSY, "mode": "paused"})
    assert "Paused: no new orders" in wall.get("/display/board").content.decode()
    wall.post("/display/pace", {**BUSY, "mode": "online"})
    assert "Paused: no new orders" not in wall.get("/display/board").content.decode()


@pytest.mark.parametrize(
    "wrong", [{"mode": "asleep"}, {"busy_minutes": "0"}, {"preparation_minutes": "999"}, {"mode": ""}]
)
def test_a_wrong_pace_is_told_and_changes_nothing(wrong):
    wall = make.paired(make.screen())
    assert wall.post("/display/pace", {**BUSY, **wrong}, headers=make.SCRIPT).status_code == 400
    assert not KitchenPace.objects.exists()


def test_a_screen_that_is_not_paired_pauses_nothing(client):
    kitchen()
    assert client.post("/display/pace", BUSY).status_code == 403
    assert not KitchenPace.objects.exists()


def test_the_pace_costs_the_board_no_statement():
    screen = make.screen()

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            read_board(screen, clock.now())
        return len(queries)

    cost()
    online = cost()
    set_pace(screen.kitchen, mode="paused", busy_minutes=15, preparation_minutes=None, actor="user:anna")
    assert cost() == online


def test_the_same_again_is_no_change():
    first = set_pace(kitchen(), mode="paused", busy_minutes=15, preparation_minutes=None, actor="user:anna")
    again = set_pace(kitchen(), mode="paused", busy_minutes=15, preparation_minutes=None, actor="user:ben")
    assert (first.version, again.version, again.changed_by) == (1, 1, "user:anna")
