"""Logging in: passwords can't be guessed for long, each try leaves a trace, and cookies are only for us."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from huuva import logins
from huuva.logins import NAME, NETWORK, Limit, name_digest
from huuva.models import LoginAttempt
from huuva.tasks import LOGIN_DAYS, purge_logins

pytestmark = pytest.mark.django_db
RIGHT, WRONG = "sauna-laulu-77", "guess"


@pytest.fixture(autouse=True)
def anna(settings: Any) -> User:
    # The real one takes its time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_user("anna", password=RIGHT, is_staff=True)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    yield
    logins._waiting.clear()


def log_in(
    password: str,
    address: str = "10.0.0.1",
    *,
    name: str = "anna",
    browser: Client | None = None,
    **headers: str,
) -> Any:
    form = {"username": name, "password": password}
    client = browser or Client()
    return client.post("/admin/login/", form, headers={"Accept": "text/html", **headers}, REMOTE_ADDR=address)


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


# --- by name over all addresses, and by network over all names


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names whose password was really checked."""
    names: list[str] = []
    check = ModelBackend.authenticate

    def noted(self: Any, request: Any, username: Any = None, **more: Any) -> Any:
        names.append(username)
        return check(self, request, username=username, **more)

    monkeypatch.setattr(ModelBackend, "authenticate", noted)
    return names


def tried(times: int, *, name: str = "anna", network: str = "10.1.0.1") -> None:
    """So many wrong passwords of just now."""
    LoginAttempt.objects.bulk_create(
        LoginAttempt(at=timezone.now(), name=name_digest(name), network=network, right=False)
        for _ in range(times)
    )


def test_a_name_guessed_from_many_addresses_has_to_wait_ever_longer(
    hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    tried(NAME.free)
    waits = []
    for number in range(12):
        waits.append(int(log_in(WRONG, address=f"10.1.{number}.1")["Retry-After"]))
        now += timedelta(seconds=waits[-1])
        assert log_in(WRONG, address=f"10.2.{number}.1").status_code == 200

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert hashed == ["anna"] * 12


def test_nobody_waits_longer_than_the_bound() -> None:
    assert [Limit(3, 100).seconds(wrong) for wrong in (0, 2, 3, 4, 9, 10, 10_000)] == [
        0,
        0,
        1,
        2,
        64,
        100,
        100,
    ]


def test_a_network_that_tries_many_names_is_refused_before_hashing(
    hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    for number in range(NETWORK.free):
        assert log_in(WRONG, name=f"nobody-{number}").status_code == 200

    answer = log_in(WRONG, name="somebody-else")

    assert answer.status_code == 429 and answer["Retry-After"] == "1"
    assert "Too many wrong passwords. Try again in 1 second." in answer.content.decode()
    assert len(hashed) == NETWORK.free
    assert log_in(RIGHT, address="10.0.0.2").status_code == 302


def test_a_refused_network_costs_no_query(django_assert_num_queries: Any) -> None:
    tried(NETWORK.free + 9, name="nobody", network="10.0.0.1")
    assert log_in(WRONG).status_code == 429

    with django_assert_num_queries(0):
        assert log_in(WRONG).status_code == 429


def test_addresses_of_one_ipv6_customer_are_one_network() -> None:
    assert log_in(WRONG, name="else", address="2001:db8:0:1::7").status_code == 200
    assert LoginAttempt.objects.get().network == "2001:db8:0:1::/64"
    tried(NETWORK.free + 9, name="nobody", network="2001:db8:0:1::/64")

    assert log_in(WRONG, name="else", address="2001:db8:0:1:ffff::1").status_code == 429
    assert log_in(WRONG, name="else", address="2001:db8:0:2::1").status_code == 200


def test_a_stranger_locks_nobody_out_of_the_browser_that_they_use() -> None:
    browser = Client()
    assert log_in(RIGHT, browser=browser).status_code == 302
    # From everywhere, the office too.
    tried(NAME.free + 20)
    tried(NETWORK.free + 20, name="nobody", network="10.0.0.1")
    guess_until_locked()
    assert log_in(RIGHT, address="10.9.9.9").status_code == 429
    browser.post("/admin/logout/")

    for address in ("10.0.0.1", "10.9.9.9"):
        assert log_in(RIGHT, browser=browser, address=address).status_code == 302


def test_a_known_browser_may_not_guess_for_ever_either() -> None:
    browser = Client()
    log_in(RIGHT, browser=browser)
    browser.post("/admin/logout/")
    for number in range(logins.BROWSER.free):
        assert log_in(WRONG, browser=browser, address=f"10.1.{number}.1").status_code == 200
    known = LoginAttempt.objects.filter(right=False).values_list("browser", flat=True)
    assert len(set(known)) == 1 and known[0]
    LoginAttempt.objects.filter(right=False).update(at=timezone.now() + timedelta(seconds=60))

    assert log_in(RIGHT, browser=browser).status_code == 429
    assert log_in(RIGHT, address="10.7.7.7").status_code == 302  # it counts for itself alone


def test_a_browser_is_known_for_its_own_names_only() -> None:
    User.objects.create_user("berit", password=RIGHT, is_staff=True)
    browser = Client()
    log_in(RIGHT, browser=browser, name="berit")
    assert browser.cookies[logins.COOKIE]["httponly"] and browser.cookies[logins.COOKIE]["path"] == "/admin/"
    browser.post("/admin/logout/")
    tried(NAME.free + 9)

    assert log_in(RIGHT, browser=browser).status_code == 429
    forged = Client()
    forged.cookies[logins.COOKIE] = browser.cookies[logins.COOKIE].value[:-1] + "x"
    assert log_in(RIGHT, browser=forged).status_code == 429


def test_a_colleague_who_sets_a_new_password_opens_the_name_again() -> None:
    tried(NAME.free + 9)
    guess_until_locked()
    assert log_in(RIGHT).status_code == 429
    boss = Client()
    boss.force_login(
        User.objects.create_superuser("boss"), backend="django.contrib.auth.backends.ModelBackend"
    )
    new = {"password1": "löyly-laulu-88", "password2": "löyly-laulu-88", "usable_password": "true"}
    pk = User.objects.get(username="anna").pk
    assert boss.post(f"/admin/auth/user/{pk}/password/", new).status_code == 302

    assert log_in("löyly-laulu-88").status_code == 302


# --- the trace


def test_each_try_is_logged_with_its_address_and_a_hash_of_the_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = "typed-my-password-here"
    log_in(WRONG, name=secret)
    log_in(RIGHT)
    guess_until_locked(address="10.0.0.9")
    log_in(WRONG, address="10.0.0.9")

    lines: list[Any] = [record.msg for record in caplog.records if record.name == "huuva.logins"]
    assert [(line["outcome"], line["name"], line["address"]) for line in lines[:2]] == [
        ("wrong", name_digest(secret), "10.0.0.1"),
        ("right", name_digest("anna"), "10.0.0.1"),
    ]
    assert [line["outcome"] for line in lines[2:]] == ["wrong"] * settings.AXES_FAILURE_LIMIT + ["refused"]
    assert lines[-1]["limit"] == "name and address"
    for plain in (secret, "anna", WRONG, RIGHT):
        assert plain not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("axes")]


def test_tables_hold_names_as_hashes_only() -> None:
    log_in(WRONG, name="typed-my-password-here")

    stored = str([*AccessAttempt.objects.values_list(), *LoginAttempt.objects.values_list()])
    assert "typed-my-password-here" not in stored and WRONG not in stored
    assert name_digest("typed-my-password-here") in stored


def test_the_hash_of_a_name_needs_our_key(settings: Any) -> None:
    before = name_digest("anna")
    settings.SECRET_KEY = "another" * 10
    assert name_digest("anna") != before


def test_managers_see_who_tried_and_let_a_name_try_again() -> None:
    tried(NAME.free + 9)
    log_in(WRONG, name="typed-my-password-here", address="10.3.3.3")
    boss = Client(headers={"accept": "text/html"})
    boss.force_login(
        User.objects.create_superuser("boss"), backend="django.contrib.auth.backends.ModelBackend"
    )
    page = "/admin/huuva/loginattempt/"

    shown = boss.get(page).content.decode()
    assert "anna" in shown and "10.3.3.3" in shown and "typed-my-password-here" not in shown
    assert "10.3.3.3" not in boss.get(f"{page}?q=anna").content.decode()
    assert "10.3.3.3" in boss.get(f"{page}?q=typed-my-password-here").content.decode()
    assert log_in(RIGHT).status_code == 429
    chosen = LoginAttempt.objects.filter(name=name_digest("anna")).first()
    assert chosen is not None
    boss.post(page, {"action": "forgive_names", "_selected_action": [chosen.pk]})
    assert log_in(RIGHT).status_code == 302


def test_old_attempts_and_ended_sessions_are_removed() -> None:
    log_in(WRONG)
    log_in(RIGHT)
    LoginAttempt.objects.filter(right=False).update(at=timezone.now() - timedelta(days=LOGIN_DAYS, hours=1))
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert purge_logins() == 1 and purge_logins() == 0
    assert LoginAttempt.objects.get().right and not Session.objects.exists()
