"""Results of backups are recorded, shown and reported."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from core.env import PROJECT_ROOT
from huuva.management.commands import backup as command
from huuva.models import BackupRecord
from huuva.ops.backups import BackupError, BackupRefused, alerts, record
from huuva.ops.backups.manifest import Manifest
from huuva.ops.backups.record import MISSING_AFTER, Fault
from huuva.tasks import watch_backups
from tests.background import wait_until
from tests.test_backups import url_of

pytestmark = pytest.mark.django_db
MANIFEST = Manifest(version=1, made_at="", server=180000, sha256="", bytes=1, rows={})
HOUR = timedelta(hours=1)


@pytest.fixture
def mails(settings: Any) -> list[Any]:
    settings.HUUVA_ALERT_EMAILS = ["operator@example.com"]
    settings.HUUVA_SMTP_URL = "smtp://localhost"
    return mail.outbox


@pytest.fixture
def result(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> dict[str, Any]:
    """The result of the next backup: the error that it raises, if any."""
    result: dict[str, Any] = {"error": None}

    def backup(url: str, file: Path) -> Manifest:
        if result["error"] is not None:
            raise result["error"]
        return MANIFEST

    settings.HUUVA_HOME = tmp_path
    monkeypatch.setattr(command, "backup", backup)
    return result


def fail(result: dict[str, Any], reason: str = "pg_dump failed: no space left") -> None:
    result["error"] = BackupError(reason)
    with pytest.raises(CommandError, match=reason):
        call_command("backup")


def succeed(result: dict[str, Any]) -> None:
    result["error"] = None
    call_command("backup")


def metric(name: str) -> list[float]:
    lines = Client().get("/metrics").content.decode().splitlines()
    matches = (re.fullmatch(rf"huuva_backup_last_{name}_timestamp_seconds (\S+)", line) for line in lines)
    return [float(match[1]) for match in matches if match]


def test_good_backup_is_recorded(result: dict[str, Any]) -> None:
    before = timezone.now()
    assert (metric("success"), metric("failure")) == ([], [])
    succeed(result)
    [at] = metric("success")
    assert before.timestamp() - 0.001 <= at <= timezone.now().timestamp()
    assert metric("failure") == []


def test_failed_backup_is_recorded_and_mailed(result: dict[str, Any], mails: list[Any]) -> None:
    fail(result)
    assert len(metric("failure")) == 1
    assert [(each.subject, each.to) for each in mails] == [
        ("Huuva: the backup failed", ["operator@example.com"])
    ]
    assert "pg_dump failed: no space left" in mails[0].body


def test_one_mail_a_day_while_backups_fail(result: dict[str, Any], mails: list[Any]) -> None:
    fail(result)
    fail(result)
    assert watch_backups() is False
    assert len(mails) == 1
    BackupRecord.objects.update(alerted_at=timezone.now() - 21 * HOUR)
    assert (watch_backups(), watch_backups()) == (True, False)
    assert len(mails) == 2


def test_failure_after_a_good_backup_is_mailed_at_once(result: dict[str, Any], mails: list[Any]) -> None:
    fail(result)
    succeed(result)
    fail(result)
    assert len(mails) == 2


def test_wrong_arguments_are_no_failed_backup(result: dict[str, Any], mails: list[Any]) -> None:
    result["error"] = BackupRefused("name another file")
    with pytest.raises(CommandError, match="name another file"):
        call_command("backup")
    assert (record.last(), mails) == (None, [])


def test_missing_backup_is_mailed_once_a_day(mails: list[Any]) -> None:
    now = timezone.now()
    record.note_success(now - MISSING_AFTER + HOUR)
    assert watch_backups() is False
    record.note_success(now - MISSING_AFTER - HOUR)
    assert (watch_backups(), watch_backups()) == (True, False)
    assert [each.subject for each in mails] == ["Huuva: the backup is missing"]


def test_first_backup_of_a_timer_can_be_missing_too(mails: list[Any]) -> None:
    record.note_expected(timezone.now() - MISSING_AFTER - HOUR)
    record.note_expected(timezone.now())  # the timer starts again
    assert watch_backups() is True
    assert [each.subject for each in mails] == ["Huuva: the backup is missing"]


def test_nothing_is_reported_if_no_backup_was_ever_made(mails: list[Any]) -> None:
    assert watch_backups() is False
    assert mails == []


def test_nothing_is_mailed_without_a_mail_server(result: dict[str, Any], settings: Any) -> None:
    settings.HUUVA_ALERT_EMAILS = ["operator@example.com"]
    fail(result)
    assert mail.outbox == []


def test_mail_server_that_is_away_changes_nothing(
    result: dict[str, Any], mails: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("core.mail.send_mail", refuse)
    fail(result)
    assert len(metric("failure")) == 1


def test_failure_is_reported_without_the_database_too(
    result: dict[str, Any], mails: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(record, "note_failure", refuse)
    fail(result, "The database does not let us in")
    assert [each.subject for each in mails] == ["Huuva: the backup failed"]


def test_good_backup_that_cannot_be_recorded_is_still_good(
    result: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(record, "note_success", refuse)
    succeed(result)


def test_end_without_a_message_is_recorded_once(result: dict[str, Any], mails: list[Any]) -> None:
    fail(result)
    call_command("backup", failed=True)
    assert "no space left" in record.last().reason  # type: ignore[union-attr]
    succeed(result)
    call_command("backup", failed=True)
    assert record.last().reason == command.UNKNOWN_REASON  # type: ignore[union-attr]
    assert len(mails) == 2


def test_backups_do_not_change_readiness(result: dict[str, Any], client: Client) -> None:
    before = client.get("/readyz").json()["checks"].keys()
    fail(result)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"].keys()) == (200, before)


def page(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.get("/admin/").content.decode()


@pytest.mark.usefixtures("roles")
def test_front_page_shows_trouble_to_operations(result: dict[str, Any]) -> None:
    operations = User.objects.create_user("olga", is_staff=True)
    operations.groups.add(Group.objects.get(name="Operations"))
    manager = User.objects.create_user("mia", is_staff=True)
    manager.groups.add(Group.objects.get(name="Kitchen manager"))
    assert "backup" not in page(operations)
    fail(result)
    assert "The last backup failed" in page(operations)
    assert "backup" not in page(manager)
    succeed(result)
    assert "backup" not in page(operations)


def test_trouble_is_the_failure_until_a_backup_succeeds() -> None:
    now = timezone.now()
    record.note_success(now - 2 * HOUR)
    assert record.trouble(now) is None
    record.note_failure(now - HOUR, "disk full")
    trouble = record.trouble(now)
    assert trouble and (trouble.fault, trouble.reason) == (Fault.FAILED, "disk full")
    record.note_success(now)
    assert record.trouble(now) is None


def test_alert_is_claimed_by_one() -> None:
    now = timezone.now()
    record.note_failure(now, "disk full")
    assert [record.claim_alert(now) for _ in range(2)] == [True, False]
    assert alerts.report_once(now) is False


@pytest.mark.django_db(transaction=True)
def test_timer_makes_a_backup_prunes_and_ends_with_sigterm(tmp_path: Path) -> None:
    old = tmp_path / "backups" / "huuva-20200101T000000Z.dump"
    old.parent.mkdir()
    old.write_text("")
    os.utime(old, (0, 0))
    timer = subprocess.Popen(
        [sys.executable, "manage.py", "backup", "--daily"],
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "HUUVA_HOME": str(tmp_path),
            "DATABASE_URL": url_of(str(connection.settings_dict["NAME"])),
            "REDIS_URL": "redis://127.0.0.1:1/0",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert timer.stdout is not None
    try:
        file = Path(timer.stdout.readline().strip())  # it is written when the backup is whole
        assert Manifest.read(file).rows["orders_order"] == 0
        assert record.last().succeeded_at is not None  # type: ignore[union-attr]
        wait_until(lambda: not old.exists(), 60, "the old backup is still there")
    finally:
        timer.send_signal(signal.SIGTERM)
        assert timer.wait(30) == 0
    assert [each.name for each in file.parent.glob("*.dump")] == [file.name]
