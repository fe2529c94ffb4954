"""Logging in: passwords can't be guessed for long, and cookies are only for us."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db
RIGHT, WRONG = "sauna-laulu-77", "guess"


@pytest.fixture(autouse=True)
def anna(settings: Any) -> User:
    # The real one takes its time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_user("anna", password=RIGHT, is_staff=True)


def log_in(password: str, address: str = "10.0.0.1", **headers: str) -> Any:
    form = {"username": "anna", "password": password}
    return Client(REMOTE_ADDR=address).post("/admin/login/", form, headers={"Accept": "text/html", **headers})


def guess_until_locked(**where: Any) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in(WRONG, **where)


def test_who_logs_in_comes_to_the_front_page() -> None:
    assert log_in(RIGHT)["Location"] == "/admin/"


def test_guessing_ends_and_says_when_to_try_again() -> None:
    guess_until_locked()

    answer = log_in(RIGHT)

    assert answer.status_code == 429
    assert answer["Retry-After"] == "600"
    assert "Too many wrong passwords. Try again in 10 minutes" in answer.content.decode()


def test_others_are_not_locked_out_with_the_guesser() -> None:
    guess_until_locked()

    assert log_in(RIGHT, address="10.0.0.2").status_code == 302


def test_after_a_while_the_right_password_opens_again() -> None:
    guess_until_locked()
    for attempt in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=attempt.pk).update(
            attempt_time=attempt.attempt_time - settings.AXES_COOLOFF_TIME - timedelta(seconds=1)
        )

    assert log_in(RIGHT).status_code == 302


def test_a_few_mistakes_are_forgiven_by_the_right_password() -> None:
    for _ in range(2):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            assert log_in(WRONG).status_code == 200
        assert log_in(RIGHT).status_code == 302


def test_behind_a_proxy_the_last_forwarder_is_believed_and_no_other(settings: Any) -> None:
    settings.HUUVA_HTTPS = True
    for number in range(settings.AXES_FAILURE_LIMIT):
        # What the guesser writes itself changes each time.
        log_in(WRONG, **{"X-Forwarded-For": f"1.2.3.{number}, 203.0.113.9"})

    assert log_in(RIGHT, **{"X-Forwarded-For": "198.51.100.7"}).status_code == 302
    assert log_in(RIGHT, **{"X-Forwarded-For": "203.0.113.9"}).status_code == 429


@pytest.mark.parametrize(
    ("forwarded", "same"),
    [("203.0.113.9:4711", "203.0.113.9"), ("[2001:db8::1]:443", "2001:db8::1"), ("unknown", "who knows")],
)
def test_a_proxy_may_add_a_port_or_know_no_address(settings: Any, forwarded: str, same: str) -> None:
    settings.HUUVA_HTTPS = True
    for _ in range(settings.AXES_FAILURE_LIMIT):
        assert log_in(WRONG, **{"X-Forwarded-For": forwarded}).status_code in (200, 429)

    assert log_in(RIGHT, **{"X-Forwarded-For": same}).status_code == 429


def test_an_endless_name_is_a_wrong_name() -> None:
    for name in ("x" * 256, "x" * 5000, "a\0b"):
        form = {"username": name, "password": WRONG}
        assert Client().post("/admin/login/", form, headers={"Accept": "text/html"}).status_code == 200


def test_cookies_are_kept_from_scripts_and_other_sites() -> None:
    client = Client()
    client.get("/admin/login/")
    client.post("/admin/login/", {"username": "anna", "password": RIGHT})
    session = client.cookies["sessionid"]
    assert session["httponly"] and session["samesite"] == "Lax"
    assert client.cookies["csrftoken"]["samesite"] == "Lax"
