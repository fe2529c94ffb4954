"""Opening hours on the wall: a closed kitchen says when it opens; an open one says nothing."""

from datetime import UTC, date, datetime, time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from kitchen_display.board import read_board
from kitchen_display.configuration import forget_kitchen_configs
from kitchen_display.tests import factories as make
from orders.models import ClosedDays, OpeningHours

pytestmark = pytest.mark.django_db
MONDAY = 0
# A Monday; Helsinki is three hours ahead of UTC.
EARLY, NOON, EVENING = (datetime(2026, 5, 4, hour, tzinfo=UTC) for hour in (4, 9, 20))


@pytest.fixture(autouse=True)
def english():
    """Whatever language a request of another test has left behind."""
    with translation.override("en"):
        yield


def open_on_monday(screen):
    OpeningHours.objects.create(kitchen=screen.kitchen, weekday=MONDAY, opens=time(10), closes=time(22))
    forget_kitchen_configs()


def test_a_closed_kitchen_says_when_it_opens_and_the_wall_asks_again_then():
    screen = make.screen()
    open_on_monday(screen)

    closed, opened, later = (read_board(screen, at) for at in (EARLY, NOON, EVENING))

    assert [(board.closed, board.opens) for board in (closed, opened, later)] == [
        (True, "10:00"),
        (False, ""),
        (True, "11 May 10:00"),
    ]
    assert closed.next_at == datetime(2026, 5, 4, 7, tzinfo=UTC)
    assert opened.next_at == datetime(2026, 5, 4, 19, tzinfo=UTC)
    assert len({closed.version, opened.version, later.version}) == 3


def test_the_wall_shows_it_and_busy_mode_before_it():
    screen = make.screen()
    wall = make.paired(screen)
    open_on_monday(screen)
    ClosedDays.objects.create(kitchen=screen.kitchen, first=date(2000, 1, 1), last=date(2099, 12, 31))
    forget_kitchen_configs()
    assert ">Closed<" in wall.get("/display/board").content.decode().replace("</svg>", ">")

    wall.post("/display/pace", {"mode": "paused", "busy_minutes": "20", "preparation_minutes": ""})
    page = wall.get("/display/board").content.decode()
    assert "Paused: no new orders" in page and "Closed" not in page


def test_a_kitchen_without_hours_is_never_called_closed():
    board = read_board(make.screen(), NOON)
    assert (board.closed, board.opens, board.next_at) == (False, "", None)


def test_hours_cost_the_board_no_statement():
    screen = make.screen()

    def cost() -> int:
        forget_kitchen_configs()
        with CaptureQueriesContext(connection) as queries:
            read_board(screen, NOON)
        return len(queries)

    without = cost()
    open_on_monday(screen)
    assert cost() == without
