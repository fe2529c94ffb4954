from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from huuva.models import Heartbeat
from huuva.ops import health
from huuva.tasks import beat_heartbeat

PATHS = ["/livez", "/readyz", "/metrics", "/api/health"]


class Gone:
    """A database or cache that is away."""

    def __getattr__(self, name: str) -> Any:
        if name == "close":
            return lambda: None
        raise OperationalError("gone")


@pytest.mark.parametrize("path", ["/livez", "/api/health", "/livez/", "/api/health/"])
def test_they_answer_without_a_key_or_a_database(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_only_get_and_head_are_allowed(path: str, method: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)(path, "{}", "application/json")
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Allow"] == "GET, HEAD"
    assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*PATHS, *(f"{path}/" for path in PATHS)])
def test_internal_probes_are_not_redirected_to_https(settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(path).status_code == 200


@pytest.mark.django_db
def test_ready_names_each_check(client: Client) -> None:
    beat_heartbeat()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ok"
    assert {name: check["status"] for name, check in body["checks"].items()} == {
        "database": "ok",
        "migrations": "ok",
        "cache": "ok",
        "beat": "ok",
        "feed": "ok",
    }
    assert 0 <= body["checks"]["beat"]["ageSeconds"] < 5


@pytest.mark.django_db
def test_a_beat_that_stopped_or_never_ran_degrades(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["beat"] == {
        "status": "failed",
        "detail": "Beat has never run, or no worker has taken what it sent.",
    }
    assert beat_samples(client) == []
    Heartbeat.note(timezone.now() - timedelta(seconds=health.BEAT_LATE_SECONDS + 1))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["beat"]["status"] == "failed"
    assert answer.json()["checks"]["beat"]["ageSeconds"] > health.BEAT_LATE_SECONDS
    assert beat_samples(client)[0] > health.BEAT_LATE_SECONDS


@pytest.mark.django_db
def test_an_emptied_valkey_does_not_look_like_a_beat_that_never_ran(client: Client) -> None:
    beat_heartbeat()
    cache.clear()
    assert client.get("/readyz").json()["checks"]["beat"]["status"] == "ok"
    assert 0 <= beat_samples(client)[0] < 5


@pytest.mark.django_db
def test_a_late_heartbeat_does_not_replace_a_newer_one() -> None:
    now = timezone.now()
    for at in (now, now - timedelta(hours=1)):
        Heartbeat.note(at)
    assert Heartbeat.last() == now


@pytest.mark.django_db
def test_a_heartbeat_from_before_the_clock_was_set_back_is_old(client: Client) -> None:
    Heartbeat.note(timezone.now() + timedelta(hours=1))
    assert client.get("/readyz").json()["checks"]["beat"]["status"] == "failed"
    assert beat_samples(client)[0] > health.BEAT_LATE_SECONDS

    beat_heartbeat()
    assert client.get("/readyz").json()["checks"]["beat"]["status"] == "ok"


def beat_samples(client: Client) -> list[float]:
    lines = client.get("/metrics").content.decode().splitlines()
    return [float(line.split()[1]) for line in lines if line.startswith("huuva_beat_age_seconds ")]


@pytest.mark.django_db
def test_without_the_cache_it_is_degraded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "cache", Gone())
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["cache"]["status"] == "failed"


def test_without_the_database_it_is_a_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "connection", Gone())
    monkeypatch.setattr(health, "Heartbeat", Gone())
    monkeypatch.setattr(health, "_migrated", True)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    body = answer.json()
    assert body["code"] == "not_ready"
    assert body["detail"] == "Not ready: The database does not answer."
    assert body["checks"]["database"]["status"] == "failed"
    assert body["checks"]["beat"]["status"] == "unknown"
    assert client.get("/livez").status_code == 200


@pytest.mark.django_db
def test_missing_migrations_are_a_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, targets: ["one", "two"])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"]["detail"] == "2 migrations are not applied."


@pytest.mark.django_db
def test_metrics_are_in_the_format_of_prometheus(client: Client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.content.decode().splitlines()
    sample = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+')
    assert [line for line in lines if not line.startswith("# ") and not sample.fullmatch(line)] == []
    assert "huuva_feed_lag_seconds 0.0" in lines
    assert any(line.startswith("huuva_build_info{") for line in lines)
