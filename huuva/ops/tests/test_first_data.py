from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command
from django.test import RequestFactory

from huuva.ops.first_data import KEY_FILE, KITCHEN, LOGIN_FILE, MANAGER, make_first_data
from integrations.keys import revoke_key
from integrations.models import ApiKey
from orders.models import Kitchen

pytestmark = pytest.mark.django_db


def test_it_creates_kitchen_manager_and_key_once(tmp_path: Path) -> None:
    first = make_first_data(tmp_path)
    again = make_first_data(tmp_path)
    assert again == first
    assert Kitchen.objects.filter(pk=KITCHEN).count() == 1
    assert ApiKey.objects.count() == 1
    request = RequestFactory().post("/admin/login/")
    assert authenticate(request, username=MANAGER, password=first.password).is_superuser  # type: ignore[union-attr]
    for name in (LOGIN_FILE, KEY_FILE):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_key_that_no_longer_works_is_replaced(tmp_path: Path) -> None:
    first = make_first_data(tmp_path)
    revoke_key(ApiKey.objects.get())
    second = make_first_data(tmp_path)
    assert second.key != first.key
    (tmp_path / KEY_FILE).write_text("broken")
    assert make_first_data(tmp_path).key not in (first.key, second.key)


def test_a_start_restores_nothing_that_was_removed(tmp_path: Path, settings: Any) -> None:
    settings.HUUVA_HOME = tmp_path
    call_command("first_data")
    assert (tmp_path / KEY_FILE).exists() and get_user_model().objects.filter(username=MANAGER).exists()
    get_user_model().objects.all().delete()
    revoke_key(ApiKey.objects.get())
    call_command("first_data")
    assert not get_user_model().objects.exists()
    assert [key.revoked_at is not None for key in ApiKey.objects.all()] == [True]


def test_a_changed_password_is_no_longer_shown(tmp_path: Path) -> None:
    make_first_data(tmp_path)
    manager = get_user_model().objects.get(username=MANAGER)
    manager.set_password("something else entirely")
    manager.save()
    assert make_first_data(tmp_path).password is None


def test_a_lost_home_changes_no_password(tmp_path: Path) -> None:
    make_first_data(tmp_path / "one")
    before = get_user_model().objects.get(username=MANAGER).password
    assert make_first_data(tmp_path / "two").password is None
    assert get_user_model().objects.get(username=MANAGER).password == before
