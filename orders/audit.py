"""Audit entries beside those of Django's admin: exports, erasures, links, secrets.

An entry is a row of Django's own log, so that one list shows everything. Its message has one part more than Django's,
`{"audit": {"what": …, facts}}`, which the list puts into words (huuva/audit.py).
"""

import getpass
import json
from typing import Any, Final

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models

from orders.models import Order
from orders.traces import Traces

# Beside Django's own flags: data was read, nothing was changed.
READ: Final = 4
# The user of entries that nobody made in the admin. Because of the space, no person can have this name.
SYSTEM: Final = "Huuva itself"
BATCH: Final = 5000


def record(
    what: str,
    about: models.Model | type[models.Model],
    *,
    user: Any = None,
    flag: int = READ,
    fields: tuple[str, ...] = (),
    **facts: Any,
) -> None:
    """Write an entry about a row, or about a model. `user` None: the system, a command or a key, named in `facts`.
    `fields` are listed as Django does it. `facts` must not identify a customer."""
    message: list[dict[str, Any]] = [{"audit": {"what": what, **facts}}]
    if fields:
        message.append({"changed": {"fields": list(fields)}})
    is_row = isinstance(about, models.Model)
    LogEntry.objects.create(
        user_id=system_user().pk if user is None else user.pk,
        content_type=ContentType.objects.get_for_model(about),
        object_id=str(about.pk) if is_row else None,
        object_repr=str(about)[:200] if is_row else str(about._meta.verbose_name_plural)[:200],
        action_flag=flag,
        change_message=json.dumps(message),
    )


def system_user() -> User:
    """Nobody can log in as it."""
    user, is_new = User.objects.get_or_create(username=SYSTEM, defaults={"is_active": False})
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def shell_user() -> str:
    """The operating system's user who runs this command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return ""


def forget_customer(sender: type[Order], traces: Traces, **_: Any) -> None:
    """Receiver of `orders.signals.customer_erased`: an entry that names the customer loses its text."""
    last = 0
    entries = LogEntry.objects.order_by("pk")
    while batch := list(
        entries.filter(pk__gt=last).values_list("pk", "object_repr", "change_message")[:BATCH]
    ):
        last = batch[-1][0]
        hits = [pk for pk, name, message in batch if traces.in_text(name) or traces.in_payload(message)]
        LogEntry.objects.filter(pk__in=hits).update(object_repr="–", change_message="[]")
