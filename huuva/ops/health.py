"""Health checks for load balancers and orchestrators. They need no key."""

from __future__ import annotations

from typing import Any, Final

from django.core.cache import cache
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from core.http.views import read_only
from core.problems import RETRY_AFTER, Problem, problem_response
from huuva.models import Heartbeat
from orders import feed
from orders.stalls import STALLED_SECONDS

# Beat sends a heartbeat each 30 s; a busy worker may run some late.
BEAT_LATE_SECONDS: Final = 120


@read_only
def livez(request: HttpRequest) -> HttpResponse:
    """This process answers. It checks nothing else, so an outage of the database restarts no web process."""
    return JsonResponse({"status": "ok"})


@read_only
def api_health(request: HttpRequest) -> HttpResponse:
    """The API answers. The public address for the monitoring of clients."""
    return JsonResponse({"status": "ok"})


@read_only
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether to send requests here: 200 `ok`, 200 `degraded`, or a 503 problem; each names all checks.

    Without the database or with missing migrations nothing works: 503. Without the cache or beat, or while the change
    feed is stalled, orders are still accepted, and sending them elsewhere would not help: `degraded`, for an alert.
    """
    database = _database()
    if database["status"] == "ok":
        checks = {
            "database": database,
            "migrations": _migrations(),
            "cache": _cache(),
            "beat": _beat(),
            "feed": _feed(),
        }
        needed: tuple[str, ...] = ("database", "migrations")
    else:
        # Each further query would wait for its own timeout.
        unknown = {"status": "unknown", "detail": "This can't be told without the database."}
        checks = {
            "database": database,
            "migrations": unknown,
            "cache": _cache(),
            "beat": unknown,
            "feed": unknown,
        }
        needed = ("database",)
    failed = [name for name in needed if checks[name]["status"] != "ok"]
    if failed:
        detail = f"Not ready: {' and '.join(str(checks[name]['detail']) for name in failed)}"
        headers = {"Retry-After": str(RETRY_AFTER)}
        return problem_response(
            request, Problem("not_ready", detail, status=503, headers=headers, checks=checks)
        )
    good = all(check["status"] == "ok" for check in checks.values())
    return JsonResponse({"status": "ok" if good else "degraded", "checks": checks})


Check = dict[str, Any]


def _database() -> Check:
    for _attempt in range(2):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return {"status": "ok"}
        except Error:
            # The first failure may be only our persistent connection, which a restarted server has dropped.
            connection.close()
    return {"status": "failed", "detail": "The database does not answer."}


_migrated = False


def _migrations() -> Check:
    global _migrated  # the code of a running process doesn't change, so applied migrations stay applied
    if not _migrated:
        try:
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except Error:
            connection.close()
            return {"status": "unknown", "detail": "Migrations can't be checked without the database."}
        if missing:
            return {"status": "failed", "detail": f"{len(missing)} migrations are not applied."}
        _migrated = True
    return {"status": "ok"}


def _cache() -> Check:
    try:
        cache.set("readyz", 1, timeout=10)
        return {"status": "ok"}
    except Exception as error:  # noqa: BLE001  (the client library's errors share no base with Django's)
        return {"status": "failed", "detail": f"The cache does not answer ({type(error).__name__})."}


def _beat() -> Check:
    try:
        age = beat_age()
    except Error:
        connection.close()
        return {"status": "unknown", "detail": "The last beat can't be read without the database."}
    if age is None:
        return {"status": "failed", "detail": "Beat has never run, or no worker has taken what it sent."}
    if age > BEAT_LATE_SECONDS:
        return {"status": "failed", "detail": "Beat or the worker stands still.", "ageSeconds": round(age, 1)}
    return {"status": "ok", "ageSeconds": round(age, 1)}


def _feed() -> Check:
    try:
        seconds = feed.lag_seconds()
    except Error:
        connection.close()
        return {"status": "unknown", "detail": "The change feed can't be read without the database."}
    if seconds > STALLED_SECONDS:
        detail = "The change feed stands still: a transaction stays open. The worker's log says whose."
        return {"status": "failed", "detail": detail, "ageSeconds": round(seconds, 1)}
    return {"status": "ok", "ageSeconds": round(seconds, 1)}


def beat_age() -> float | None:
    """Seconds since a worker ran what beat had sent; None: never.

    A time in the future, from before the clock was set back, counts as that old.
    """
    last = Heartbeat.last()
    return None if last is None else abs((timezone.now() - last).total_seconds())
