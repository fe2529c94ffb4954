from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override

from orders.admin.formatting import format_time, money, span, who
from orders.models import Kitchen


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 00 min"),
        (47 * 3600 + 59 * 60, "47 h 59 min"),
        (48 * 3600, "2 days"),
    ],
)
def test_a_length_of_time_in_two_units_at_most(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (1290, "EUR", "12.90 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (500, "JPY", "500 JPY"),
        (1234, "KWD", "1.234 KWD"),
    ],
)
def test_money_has_the_decimals_of_its_currency(amount: int, currency: str, words: str) -> None:
    assert money(amount, currency) == words


def test_a_time_names_its_zone_through_the_change_of_clocks() -> None:
    helsinki = Kitchen(time_zone="Europe/Helsinki")

    assert format_time(datetime(2021, 10, 31, 0, 30, tzinfo=UTC), helsinki) == "31 Oct 2021 03:30 EEST"
    assert format_time(datetime(2021, 10, 31, 1, 30, tzinfo=UTC), helsinki) == "31 Oct 2021 03:30 EET"
    assert (
        format_time(datetime(2021, 1, 5, 1, 2, 3, tzinfo=UTC), helsinki, seconds=True)
        == "5 Jan 2021 03:02:03 EET"
    )


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("key:wolt", "API key wolt"),
        ("key:a:b", "API key a:b"),
        ("user:anna", "anna"),
        ("screen:grill-1", "Screen grill-1"),
        ("system", "Huuva itself"),
        ("someone", "someone"),
    ],
)
def test_an_actor_in_words(actor: str, words: str) -> None:
    assert who(actor)[1] == words


def test_a_time_is_written_as_the_language_does() -> None:
    at = datetime(2021, 11, 23, 15, 25, tzinfo=UTC)

    with override("fi"):
        assert format_time(at, Kitchen(time_zone="Europe/Helsinki")) == "23.11.2021 17:25 EET"
    with override("sv"):
        assert format_time(at, Kitchen(time_zone="Europe/Stockholm")) == "23 Nov 2021 16:25 CET"
