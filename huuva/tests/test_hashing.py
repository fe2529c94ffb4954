"""Passwords are hashed one at a time, and occupy two threads at most."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.test import Client

from core.problems import Problem
from huuva import hashing
from huuva.hashing import HashingTurn, PasswordHasher

SECONDS = 20


class Work:
    """Hashes until it is released; counts how many do at the same time."""

    def __init__(self) -> None:
        self.started, self.go_on = threading.Semaphore(0), threading.Event()
        self.done = 0
        self.most = 0
        self._now = 0

    def __call__(self) -> str:
        self._now += 1
        self.most = max(self.most, self._now)
        self.started.release()
        assert self.go_on.wait(SECONDS)
        self._now -= 1
        self.done += 1
        return "hash"


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def waits(turn: HashingTurn, others: list[Future[str]]) -> None:
    """Returns when one of them hashes and another one waits."""
    deadline = time.monotonic() + SECONDS
    while not turn.is_full:
        assert time.monotonic() < deadline
        assert not [each for each in others if each.done()]
        time.sleep(0.001)


def test_one_is_hashed_one_waits_and_the_others_are_refused_at_once(threads: ThreadPoolExecutor) -> None:
    turn, work = HashingTurn(wait_seconds=SECONDS), Work()
    held = [threads.submit(turn.run, work) for _ in range(2)]
    waits(turn, held)

    for _ in range(50):
        start = time.monotonic()
        with pytest.raises(Problem) as refused:
            turn.run(work)
        assert time.monotonic() - start < 1
        assert (refused.value.status_code, refused.value.code) == (503, "logins_busy")
        assert refused.value.headers["Retry-After"] == "3"

    work.go_on.set()
    assert [each.result(SECONDS) for each in held] == ["hash", "hash"]
    assert (work.most, work.done) == (1, 2)


def test_who_has_waited_too_long_is_refused_without_hashing(threads: ThreadPoolExecutor) -> None:
    turn, work = HashingTurn(wait_seconds=0.1), Work()
    first = threads.submit(turn.run, work)
    assert work.started.acquire(timeout=SECONDS)

    with pytest.raises(Problem):
        turn.run(work)

    work.go_on.set()
    assert first.result(SECONDS) == "hash"
    assert work.done == 1
    assert turn.run(work) == "hash"  # its place is free again


def test_many_threads_never_hash_two_at_a_time(threads: ThreadPoolExecutor) -> None:
    turn, work = HashingTurn(wait_seconds=SECONDS), Work()
    work.go_on.set()

    def insist() -> str:
        while True:
            try:
                return turn.run(work)
            except Problem:
                time.sleep(0.001)

    assert [each.result(SECONDS) for each in [threads.submit(insist) for _ in range(40)]] == ["hash"] * 40
    assert work.most == 1


def test_an_error_releases_the_turn() -> None:
    turn = HashingTurn(wait_seconds=0.1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            turn.run(lambda: str(1 // 0))
    assert turn.run(lambda: "hash") == "hash"


def test_hashes_are_those_of_django() -> None:
    stored = make_password("sauna-laulu-77")
    assert stored.startswith("pbkdf2_sha256$")
    assert check_password("sauna-laulu-77", stored) and not check_password("guess", stored)
    assert PasswordHasher().decode(stored)["iterations"] == PasswordHasher.iterations


@pytest.mark.django_db
def test_checks_unknown_names_and_new_passwords_all_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """While another one is hashed and one waits, each of them is refused."""
    full = HashingTurn(slots=0)
    assert full.is_full
    boss = User.objects.create_superuser("boss", password="sauna-laulu-77")
    monkeypatch.setattr(hashing, "turn", full)
    client = Client(headers={"accept": "text/html"})

    for name in ("boss", "nobody"):
        answer = client.post("/admin/login/", {"username": name, "password": "sauna-laulu-77"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "3"), name
        assert "Too many people log in right now" in answer.content.decode()
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    new = {"password1": "löyly-laulu-88", "password2": "löyly-laulu-88", "usable_password": "true"}
    assert client.post(f"/admin/auth/user/{boss.pk}/password/", new).status_code == 503
    assert client.post("/admin/auth/user/add/", {"username": "new", **new}).status_code == 503
    boss.refresh_from_db()
    monkeypatch.undo()
    assert boss.check_password("sauna-laulu-77") and not User.objects.filter(username="new").exists()
