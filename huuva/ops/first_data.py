"""The first data of a new installation: a kitchen, a manager and an API key. Safe to call repeatedly."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.contrib.admin.models import ADDITION
from django.contrib.auth import get_user_model
from django.db import transaction

from core.home import read_private, write_private
from integrations.keys import issue_key, parse_key
from integrations.models import ApiKey
from integrations.scopes import SCOPES
from orders.audit import SYSTEM, record, shell_user
from orders.models import Kitchen

KITCHEN: Final = "main"
MANAGER: Final = "manager"
KEY_NAME: Final = "first-key"
# The first login and key in plain text, mode 0600, so that each start can show them again.
LOGIN_FILE: Final = "first-login.json"
KEY_FILE: Final = "first-key.json"


@dataclass(frozen=True)
class FirstData:
    """`password` is None once it was changed."""

    manager: str
    password: str | None
    key: str


def is_new() -> bool:
    """Whether there are no users and no keys yet."""
    people = get_user_model()._default_manager.exclude(username=SYSTEM)
    return not people.exists() and not ApiKey.objects.exists()


@transaction.atomic
def make_first_data(home: Path) -> FirstData:
    """Creates what is missing in the database and stores the plain secrets under the home."""
    Kitchen.objects.get_or_create(slug=KITCHEN, defaults={"name": "Main kitchen"})
    return FirstData(
        MANAGER, _manager_password(home / LOGIN_FILE), stored_key(home / KEY_FILE, KEY_NAME, [*SCOPES])
    )


def _manager_password(file: Path) -> str | None:
    users: Any = get_user_model()._default_manager
    manager = users.filter(username=MANAGER).first()
    login = read_private(file)
    if manager is None:
        password = secrets.token_urlsafe(12)
        manager = users.create_superuser(username=MANAGER, password=password)
        login = {"user": MANAGER, "password": password, "stored": manager.password}
        write_private(file, login)
    # Comparing the stored hashes tells whether it was changed, and unlike a login costs nothing at each start.
    return login.get("password") if login.get("stored") == manager.password else None


def stored_key(file: Path, name: str, scopes: Sequence[str], rate_limit: int | None = None) -> str:
    """The key in that file; if it is missing or no longer works, a new one, which is then stored there."""
    stored = str(read_private(file).get("key", ""))
    parsed = parse_key(stored)
    if parsed is not None:
        valid = ApiKey.objects.filter(
            prefix=parsed.prefix, digest=parsed.digest, revoked_at=None, expires_at=None
        )
        if valid.exists():
            return stored
    key, plain = issue_key(name, scopes, rate_limit=rate_limit)
    record("secret_shown", key, flag=ADDITION, shell=shell_user())
    write_private(file, {"key": plain, "scopes": [*scopes]})
    return plain
