"""Opening hours: whether a kitchen is open at a moment, and how a manager sets them."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from orders.admin.hours import opening_words
from orders.hours import Opening, opening_of, overlapping
from orders.models import ClosedDays, Kitchen, OpeningHours, Order
from orders.tests import factories

MONDAY, TUESDAY, FRIDAY, SATURDAY, SUNDAY = 0, 1, 4, 5, 6
PAGE = "/admin/orders/kitchen/main/change/"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Whatever language a request of another test has left behind."""
    with translation.override("en"):
        yield


def hours(*days: int, opens: str, closes: str) -> list[OpeningHours]:
    begin, end = time.fromisoformat(opens), time.fromisoformat(closes)
    return [OpeningHours(weekday=day, opens=begin, closes=end) for day in days]


def closed(first: str, last: str = "", reason: str = "") -> list[ClosedDays]:
    begin = date.fromisoformat(first)
    return [ClosedDays(first=begin, last=date.fromisoformat(last) if last else begin, reason=reason)]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


HELSINKI = Kitchen(slug="main", name="Main", time_zone="Europe/Helsinki")
LUNCH_AND_DINNER = hours(*range(5), opens="10:00", closes="14:00") + hours(
    *range(5), opens="16:00", closes="22:00"
)


# 2026-05-04 is a Monday; Helsinki is three hours ahead of UTC then.
@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ("2026-05-04 06:59:59", Opening(False, utc("2026-05-04 07:00"))),
        ("2026-05-04 07:00", Opening(True, utc("2026-05-04 11:00"))),
        ("2026-05-04 10:59:59", Opening(True, utc("2026-05-04 11:00"))),
        ("2026-05-04 11:00", Opening(False, utc("2026-05-04 13:00"))),
        ("2026-05-04 13:00", Opening(True, utc("2026-05-04 19:00"))),
        ("2026-05-08 19:00", Opening(False, utc("2026-05-11 07:00"))),
    ],
)
def test_a_kitchen_is_open_between_its_hours_in_its_own_zone(at: str, opening: Opening) -> None:
    assert opening_of(HELSINKI, LUNCH_AND_DINNER, [], utc(at)) == opening


def test_a_kitchen_without_hours_says_nothing() -> None:
    assert opening_of(HELSINKI, [], closed("2026-05-04"), utc("2026-05-04 12:00")) is None


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = hours(FRIDAY, SATURDAY, opens="18:00", closes="02:00")
    early_sunday = utc("2026-05-09 22:30")  # 01:30 on Sunday in Helsinki

    assert opening_of(HELSINKI, night, [], early_sunday) == Opening(True, utc("2026-05-09 23:00"))
    # Closed on Sunday changes nothing of Saturday's night; closed on Saturday ends it.
    assert opening_of(HELSINKI, night, closed("2026-05-10"), early_sunday) == Opening(
        True, utc("2026-05-09 23:00")
    )
    assert opening_of(HELSINKI, night, closed("2026-05-09"), early_sunday) == Opening(
        False, utc("2026-05-15 15:00")
    )


def test_hours_that_touch_are_one() -> None:
    through = hours(MONDAY, opens="20:00", closes="00:00") + hours(TUESDAY, opens="00:00", closes="03:00")

    assert opening_of(HELSINKI, through, [], utc("2026-05-04 18:00")) == Opening(
        True, utc("2026-05-05 00:00")
    )


def test_a_kitchen_that_never_closes_is_open_until_a_closed_day() -> None:
    always = hours(*range(7), opens="00:00", closes="00:00")

    assert opening_of(HELSINKI, always, [], utc("2026-05-04 18:00")) == Opening(True, None)
    assert opening_of(HELSINKI, always, closed("2026-05-06"), utc("2026-05-04 18:00")) == Opening(
        True, utc("2026-05-05 21:00")
    )


def test_closed_days_say_why_and_when_it_goes_on() -> None:
    summer = closed("2026-07-06", "2026-07-26", "Summer")

    assert opening_of(HELSINKI, LUNCH_AND_DINNER, summer, utc("2026-07-10 09:00")) == Opening(
        False, utc("2026-07-27 07:00"), "Summer"
    )
    forever = closed("2026-07-06", "2027-07-26", "Fire")
    assert opening_of(HELSINKI, LUNCH_AND_DINNER, forever, utc("2026-07-10 09:00")) == Opening(
        False, None, "Fire"
    )


def test_hours_are_those_of_the_wall_when_clocks_change() -> None:
    # On 2026-03-29 clocks go from 03:00 to 04:00, on 2026-10-25 from 04:00 back to 03:00.
    night = hours(SATURDAY, opens="20:00", closes="05:00")

    assert opening_of(HELSINKI, night, [], utc("2026-03-28 19:00")) == Opening(True, utc("2026-03-29 02:00"))
    assert opening_of(HELSINKI, night, [], utc("2026-10-24 19:00")) == Opening(True, utc("2026-10-25 03:00"))


@pytest.mark.parametrize(
    ("week", "overlap"),
    [
        (hours(MONDAY, opens="10:00", closes="14:00") + hours(MONDAY, opens="14:00", closes="20:00"), False),
        (hours(MONDAY, opens="10:00", closes="14:01") + hours(MONDAY, opens="14:00", closes="20:00"), True),
        (hours(MONDAY, opens="10:00", closes="14:00") + hours(MONDAY, opens="10:00", closes="11:00"), True),
        (hours(SUNDAY, opens="20:00", closes="02:00") + hours(MONDAY, opens="01:00", closes="09:00"), True),
        (hours(SUNDAY, opens="20:00", closes="02:00") + hours(MONDAY, opens="02:00", closes="09:00"), False),
        (hours(*range(7), opens="00:00", closes="00:00"), False),
        (hours(MONDAY, opens="09:00", closes="09:00") + hours(TUESDAY, opens="08:00", closes="10:00"), True),
        (hours(MONDAY, opens="09:00", closes="09:00"), False),
        ([], False),
    ],
)
def test_hours_overlap_where_they_share_a_minute(week: list[OpeningHours], overlap: bool) -> None:
    assert (overlapping(week) is not None) is overlap


# --- What a manager does ---------------------------------------------------------------------------------------------


def form(rows: list[dict[str, Any]], days: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The kitchen's page as the browser sends it; rows with an `id` are stored ones."""
    data: dict[str, Any] = {
        "slug": "main", "name": "Main", "time_zone": "Europe/Helsinki", "currency": "EUR", "target_minutes": "15",
        "release_minutes": "20", "recall_minutes": "30", "auto_advance": "on", "retention_days": "90",
    }  # fmt: skip
    for prefix, sent in (("opening_hours", rows), ("closed_days", days or [])):
        data |= {
            f"{prefix}-TOTAL_FORMS": len(sent),
            f"{prefix}-INITIAL_FORMS": sum("id" in row for row in sent),
        }
        for number, row in enumerate(sent):
            data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
            data |= {f"{prefix}-{number}-kitchen": "main"}
    return data


def row(weekday: int, opens: str = "", closes: str = "", **more: Any) -> dict[str, Any]:
    return {"weekday": weekday, "opens": opens, "closes": closes, **more}


@pytest.mark.django_db
def test_a_new_kitchen_has_a_line_for_each_day_empty_ones_are_not_saved(manager: Client) -> None:
    factories.kitchen("main")
    page = manager.get(PAGE).content.decode()
    assert re.findall(r'<option value="(\d)" selected>', page)[:7] == list("0123456")

    sent = [row(day, *(("10:00", "22:00") if day < 5 else ())) for day in range(7)]
    assert manager.post(PAGE, form(sent)).status_code == 302

    assert [str(each) for each in OpeningHours.objects.all()] == [
        f"{day} 10:00–22:00" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    ]
    assert manager.get(PAGE).content.decode().count("opening_hours-5-weekday") == 0


@pytest.mark.django_db
def test_a_kitchen_is_made_with_its_hours(manager: Client) -> None:
    sent = [row(day, *(("10:00", "22:00") if day == 6 else ())) for day in range(7)]

    assert manager.post("/admin/orders/kitchen/add/", form(sent)).status_code == 302

    assert str(Kitchen.objects.get().opening_hours.get()) == "Sunday 10:00–22:00"


@pytest.mark.django_db
def test_who_may_only_look_at_a_kitchen_changes_no_hours(client: Client) -> None:
    factories.kitchen("main")
    support = User.objects.create_user("support", is_staff=True)
    wanted = ["view_kitchen", "view_openinghours", "view_closeddays", "work_everywhere"]
    support.user_permissions.add(*Permission.objects.filter(codename__in=wanted))
    client.force_login(support)

    assert client.get(PAGE).status_code == 200
    assert client.post(PAGE, form([row(0, "10:00", "14:00")])).status_code == 403
    assert not OpeningHours.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([row(0, "10:00", "14:00"), row(0, "13:00", "15:00")], "Monday 13:00–15:00 overlaps with Monday 10:00"),
        ([row(6, "20:00", "02:00"), row(0, "01:00", "15:00")], "Monday 01:00–15:00 overlaps with Sunday 20:00"),
        ([row(0, "10:00", "14:00"), row(0, "10:00", "15:00")], "overlaps with Monday 10:00"),
        ([row(0, "10:00")], "This field is required"),
        ([row(0, "25:00", "14:00")], "Enter a valid time"),
        ([row(9, "10:00", "14:00")], "Select a valid choice"),
    ],
)  # fmt: skip
def test_hours_that_make_no_sense_are_refused_with_their_line(
    manager: Client, sent: list[dict[str, Any]], words: str
) -> None:
    factories.kitchen("main")

    page = manager.post(PAGE, form(sent))

    assert page.status_code == 200 and words in page.content.decode()
    assert not OpeningHours.objects.exists()


@pytest.mark.django_db
def test_hours_may_be_moved_in_place_of_others(manager: Client) -> None:
    """Two lines that change at once are judged as they will be, not against what is stored."""
    kitchen = factories.kitchen("main")
    first, second = (
        OpeningHours.objects.create(kitchen=kitchen, weekday=0, opens=time(hour), closes=time(hour + 4))
        for hour in (10, 16)
    )
    sent = [row(0, "09:00", "17:00", id=first.pk), row(0, "17:00", "20:00", id=second.pk)]
    assert manager.post(PAGE, form(sent)).status_code == 302
    sent = [row(0, "09:00", "17:00", id=first.pk, DELETE="on"), row(0, "10:00", "20:00", id=second.pk)]
    assert manager.post(PAGE, form(sent)).status_code == 302

    assert [str(each) for each in OpeningHours.objects.all()] == ["Monday 10:00–20:00"]


@pytest.mark.django_db
def test_one_closed_day_needs_no_end_and_an_end_comes_after_the_beginning(manager: Client) -> None:
    factories.kitchen("main")
    wrong = manager.post(PAGE, form([], [{"first": "2026-12-25", "last": "2026-12-24"}]))
    assert "comes before the first" in wrong.content.decode()

    manager.post(PAGE, form([], [{"first": "2026-12-25", "last": "", "reason": "Christmas"}]))

    day = ClosedDays.objects.get()
    assert (day.first, day.last, str(day)) == (date(2026, 12, 25), date(2026, 12, 25), "2026-12-25 Christmas")


@pytest.mark.django_db
def test_who_changed_the_hours_stands_in_the_log(manager: Client) -> None:
    factories.kitchen("main")
    manager.post(PAGE, form([row(0, "10:00", "14:00")]))

    assert "Monday 10:00–14:00" in LogEntry.objects.get().get_change_message()


@pytest.mark.django_db
def test_the_list_of_kitchens_tells_what_is_open_now(manager: Client, django_assert_num_queries: Any) -> None:
    opened, shut = factories.kitchen("main"), factories.kitchen("harju")
    factories.kitchen("kallio")
    for day in range(7):
        for kitchen in (opened, shut):
            OpeningHours.objects.create(kitchen=kitchen, weekday=day, opens=time(0), closes=time(0))
    ClosedDays.objects.create(kitchen=shut, first=date(2000, 1, 1), last=date(2099, 12, 31), reason="Fire")
    manager.get("/admin/orders/kitchen/")

    # Session, user, number of rows twice, kitchens, hours, closed days.
    with django_assert_num_queries(7):
        page = manager.get("/admin/orders/kitchen/").content.decode()

    shown = [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(
        r'<td class="[^"]*field-shown_opening[^"]*"[^>]*>(.*?)</td>', page, re.S
    )]  # fmt: skip
    assert sorted(shown) == ["always open", "closed (Fire)", "hours not set"]


@pytest.mark.django_db
def test_the_words_name_the_hour_and_the_day_where_it_is_another() -> None:
    kitchen = factories.kitchen("main")
    for each in hours(FRIDAY, SATURDAY, opens="18:00", closes="02:00"):
        each.kitchen = kitchen
        each.save()

    told = [
        opening_words(kitchen, utc(at))
        for at in ("2026-05-08 12:00", "2026-05-08 20:00", "2026-05-10 12:00", "2026-05-08 23:30")
    ]

    assert told == [
        ("closed", "closed, opens 18:00"),
        ("open", "open until 02:00"),
        ("closed", "closed, opens Fri 18:00"),
        ("closed", "closed, opens 18:00"),
    ]


@pytest.mark.django_db
def test_a_kitchen_that_closes_tomorrow_does_not_seem_to_close_tonight() -> None:
    kitchen = factories.kitchen("main")
    for each in hours(MONDAY, opens="00:00", closes="00:00") + hours(TUESDAY, opens="00:00", closes="22:00"):
        each.kitchen = kitchen
        each.save()

    told = [opening_words(kitchen, utc(at))[1] for at in ("2026-05-04 12:00", "2026-05-04 20:30")]

    assert told == ["open until Tue 22:00", "open until 22:00"]


@pytest.mark.django_db
def test_an_order_is_taken_at_any_hour() -> None:
    kitchen = factories.kitchen("main")
    OpeningHours.objects.create(kitchen=kitchen, weekday=0, opens=time(10), closes=time(11))
    ClosedDays.objects.create(kitchen=kitchen, first=date(2000, 1, 1), last=date(2099, 12, 31))

    factories.order(of=kitchen)

    assert Order.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        lambda kitchen: OpeningHours(kitchen=kitchen, weekday=7, opens=time(10), closes=time(11)),
        lambda kitchen: ClosedDays(kitchen=kitchen, first=date(2026, 5, 2), last=date(2026, 5, 1)),
    ],
)
def test_the_database_refuses_hours_that_make_no_sense(wrong: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        wrong(factories.kitchen("main")).save()
