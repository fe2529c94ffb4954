"""A session that holds a transaction id, and with it the change feed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from orders import feed, stalls
from orders.models import StatusChange
from orders.tests import factories

QUERY = "SELECT 'Aino Secret', pg_current_xact_id()"

pytestmark = pytest.mark.django_db(transaction=True)


def url(**changes: str) -> str:
    """Of the tests' database."""
    settings = connection.get_connection_params()
    known = {
        name: settings[name] for name in ("dbname", "user", "password", "host", "port") if settings.get(name)
    }
    return psycopg.conninfo.make_conninfo(**{**known, **changes})


@pytest.fixture
def staller() -> Iterator[psycopg.Connection[Any]]:
    """Somebody's session that has written something and is forgotten."""
    with psycopg.connect(url(application_name="report")) as session:
        session.execute(QUERY)
        yield session


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stalled at all has been so for long enough."""
    monkeypatch.setattr(stalls, "STALLED_SECONDS", 0.0)
    monkeypatch.setattr("huuva.ops.health.STALLED_SECONDS", 0.0)
    cache.clear()


@pytest.fixture
def mailed(settings: Any) -> None:
    settings.HUUVA_SMTP_URL, settings.HUUVA_ALERT_EMAILS = "smtp://localhost", ["it@example.com"]


def logged(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    lines = [record.msg for record in caplog.records]
    return [line for line in lines if isinstance(line, dict) and line["event"] == event]


def test_who_stalls_the_feed_is_named(
    staller: psycopg.Connection[Any], late: None, mailed: None, caplog: pytest.LogCaptureFixture
) -> None:
    factories.order()
    assert stalls.watch() > 0
    [line] = logged(caplog, "feed_stalled")
    assert line["pid"] == staller.info.backend_pid
    assert (line["user"], line["application"]) == (staller.info.user, "report")
    assert line["state"] == "idle in transaction"
    assert line["query_seconds"] >= 0 and line["transaction_seconds"] >= 0
    [message] = mail.outbox
    assert f"pid: {staller.info.backend_pid}\n" in message.body
    assert "Application: report" in message.body and f"User: {staller.info.user}" in message.body
    assert re.search(r"Age of its query: \d+ s", message.body)
    assert f"SELECT pg_terminate_backend({staller.info.backend_pid});" in message.body
    assert "Aino" not in message.body + caplog.text, "a query's text may hold customers' data"


def test_one_session_is_mailed_once(staller: psycopg.Connection[Any], late: None, mailed: None) -> None:
    factories.order()
    for _ in range(3):
        stalls.watch()
    assert len(mail.outbox) == 1


def test_without_mail_it_is_logged_all_the_same(
    staller: psycopg.Connection[Any], late: None, caplog: pytest.LogCaptureFixture
) -> None:
    factories.order()
    stalls.watch()
    assert len(logged(caplog, "feed_stalled")) == 1
    assert mail.outbox == []


def test_a_feed_that_goes_on_is_nothing_to_tell(
    staller: psycopg.Connection[Any], late: None, caplog: pytest.LogCaptureFixture
) -> None:
    factories.order()
    staller.rollback()
    assert stalls.watch() == 0
    assert logged(caplog, "feed_stalled") == []


def test_a_short_wait_is_nothing_to_tell(staller: psycopg.Connection[Any]) -> None:
    factories.order()
    assert feed.lag_seconds() > 0
    assert stalls.watch() == 0


def test_the_session_is_not_ended_unless_the_settings_say_so(
    staller: psycopg.Connection[Any], late: None
) -> None:
    factories.order()
    stalls.watch()
    staller.execute("SELECT 1")


def test_the_session_is_ended_when_its_time_has_come(
    staller: psycopg.Connection[Any], late: None, mailed: None, settings: Any
) -> None:
    factories.order()
    settings.HUUVA_END_STALLING_SESSIONS_SECONDS = 3600
    stalls.watch()
    staller.execute("SELECT 1")
    cache.clear()
    long_ago = StatusChange.objects.values_list("recorded_at", flat=True).first() - timedelta(seconds=1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_statuschange DISABLE TRIGGER USER")
        cursor.execute("UPDATE orders_statuschange SET recorded_at = %s", [long_ago])
        cursor.execute("ALTER TABLE orders_statuschange ENABLE TRIGGER USER")
    settings.HUUVA_END_STALLING_SESSIONS_SECONDS = 1
    stalls.watch()
    with pytest.raises(psycopg.OperationalError):
        staller.execute("SELECT 1")
    assert mail.outbox[-1].body.endswith("It was ended.")
    assert feed.lag_seconds() == 0


def test_a_session_that_has_gone_on_is_not_ended(staller: psycopg.Connection[Any], late: None) -> None:
    factories.order()
    oldest = stalls.oldest_session()
    assert oldest is not None
    staller.commit()
    staller.execute(QUERY)
    assert stalls.end(oldest) is False
    staller.execute("SELECT 1")


def test_missing_rights_are_told(
    staller: psycopg.Connection[Any], late: None, caplog: pytest.LogCaptureFixture
) -> None:
    factories.order()
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE huuva_powerless")
        try:
            cursor.execute("SET ROLE huuva_powerless")
            oldest = stalls.oldest_session()
            assert oldest is not None and oldest.pid == staller.info.backend_pid
            assert (oldest.state, oldest.query_seconds) == (None, None), "hidden without pg_monitor"
            assert stalls.end(oldest) is False
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE huuva_powerless")
    [line] = logged(caplog, "feed_staller_not_ended")
    assert line["pid"] == staller.info.backend_pid
    staller.execute("SELECT 1")


@pytest.mark.one_server("its workers are asked for what is prepared")
def test_a_prepared_transaction_is_named(late: None, caplog: pytest.LogCaptureFixture) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_prepared_transactions")
        if cursor.fetchone()[0] == "0":
            pytest.skip("max_prepared_transactions is 0: no transaction can be prepared here")
    with psycopg.connect(url(), autocommit=True) as session:
        session.execute("BEGIN")
        session.execute(QUERY)
        session.execute("PREPARE TRANSACTION 'forgotten'")
        try:
            factories.order()
            stalls.watch()
        finally:
            session.execute("ROLLBACK PREPARED 'forgotten'")
    [line] = logged(caplog, "feed_stalled")
    assert line["prepared"] == "forgotten"


def test_ready_says_that_the_feed_stands_still(
    staller: psycopg.Connection[Any], late: None, client: Client
) -> None:
    assert client.get("/readyz").json()["checks"]["feed"]["status"] == "ok"
    factories.order()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    check = answer.json()["checks"]["feed"]
    assert check["status"] == "failed" and check["ageSeconds"] >= 0
    staller.rollback()
    assert client.get("/readyz").json()["checks"]["feed"]["status"] == "ok"
