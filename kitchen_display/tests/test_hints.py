from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from core.monotonic import stamp
from core.stream_channels import KITCHENS
from core.valkey_client import ValkeyClient
from kitchen_display import hints
from kitchen_display.hints import ORDERS, SCREENS, Publisher

# Channels are one space for all databases of a server, so each test has a kitchen of its own.
Heard = list[dict[str, Any]]


class Ear:
    def __init__(self) -> None:
        self.kitchen = f"test-{uuid4().hex}"
        self._pubsub = redis.Redis.from_url(settings.REDIS_URL).pubsub()
        self._pubsub.subscribe(f"{KITCHENS}{self.kitchen}")
        assert self._pubsub.get_message(timeout=5)["type"] == "subscribe"

    def hint(self, seconds: float = 5) -> dict[str, Any] | None:
        found = self._pubsub.get_message(timeout=seconds)
        return None if found is None else json.loads(found["data"])

    def close(self) -> None:
        self._pubsub.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.close()


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(ValkeyClient(settings.REDIS_URL))


def test_a_hint_says_what_kind_of_thing_changed_and_when(publisher: Publisher, ear: Ear) -> None:
    publisher.publish(ear.kitchen, SCREENS)

    hint = ear.hint()
    assert hint is not None
    assert (hint["v"], hint["kind"]) == (1, "screens")
    assert abs(hint["at"] / 1000 - time.time()) < 5


def test_it_waits_for_the_commit(
    db: None, ear: Ear, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        hints.publish_on_commit(ear.kitchen)
        assert ear.hint(seconds=0.1) is None
    assert ear.hint() is not None


def test_what_is_rolled_back_is_not_told(transactional_db: None, ear: Ear) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        hints.publish_on_commit(ear.kitchen)
        raise ZeroDivisionError
    hints.publish(ear.kitchen, SCREENS)

    assert (ear.hint() or {})["kind"] == "screens"


def test_a_burst_sends_its_first_change_at_once_and_the_rest_together(ear: Ear) -> None:
    resting, over = threading.Event(), threading.Event()

    def rest(seconds: float) -> None:
        resting.set()
        assert over.wait(10)

    publisher = Publisher(ValkeyClient(settings.REDIS_URL), rest)
    publisher.publish(ear.kitchen, ORDERS)
    assert ear.hint() is not None
    assert resting.wait(10)
    for _ in range(100):
        publisher.publish(ear.kitchen, ORDERS)
    last = stamp()
    publisher.publish(ear.kitchen, ORDERS)
    over.set()

    assert publisher.flush(5)
    told = ear.hint()
    # It stands for the last of them.
    assert told is not None
    assert int(told["moment"].rpartition(".")[2]) >= int(last.rpartition(".")[2])
    assert ear.hint(seconds=0.1) is None


def test_without_valkey_a_change_waits_for_nothing_and_is_told_later(tmp_path: Path, ear: Ear) -> None:
    path = tmp_path / "later.sock"
    publisher = Publisher(ValkeyClient(f"unix://{path}"))

    began = time.monotonic()
    for _ in range(1000):
        publisher.publish(ear.kitchen, ORDERS)
    publisher.publish(ear.kitchen, SCREENS)
    assert time.monotonic() - began < 0.25
    assert not publisher.flush(0.1)

    path.symlink_to(redis.Redis.from_url(settings.REDIS_URL).connection_pool.connection_kwargs["path"])
    assert publisher.flush(5)
    # A thousand changes, one hint of each kind.
    assert {(ear.hint() or {})["kind"], (ear.hint() or {})["kind"]} == {"orders", "screens"}
    assert ear.hint(seconds=0.1) is None


def test_a_forked_process_publishes_by_itself(ear: Ear) -> None:
    code = f"""
import os, django
django.setup()
from kitchen_display import hints
hints.publish("elsewhere")
hints._publisher().flush(5)
child = os.fork()
if child == 0:
    hints.publish({ear.kitchen!r})
    os._exit(0 if hints._publisher().flush(5) else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)

    assert ear.hint() is not None


def test_a_command_that_ends_at_once_gets_its_hint_out(ear: Ear) -> None:
    code = f"import django; django.setup(); from kitchen_display import hints; hints.publish({ear.kitchen!r})"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)

    assert ear.hint() is not None


def test_a_hint_for_several_changes_has_the_times_of_first_and_last(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey = ValkeyClient(settings.REDIS_URL)
    publisher = Publisher(valkey)
    answers = valkey.ask
    monkeypatch.setattr(valkey, "ask", lambda _: None)  # away
    first = stamp()
    publisher.publish(ear.kitchen, ORDERS)
    publisher.publish(ear.kitchen, ORDERS)
    second = stamp()
    publisher.publish(ear.kitchen, ORDERS)
    monkeypatch.setattr(valkey, "ask", answers)

    hint = ear.hint()
    assert hint is not None and ear.hint(0.5) is None
    clock, microseconds = hint["moment"].split(".")
    assert first.split(".")[0] == clock
    assert int(microseconds) >= int(second.split(".")[1])
