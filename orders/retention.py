"""Set how long a kitchen keeps its customers' data. A shorter time destroys data, so it applies after a day and can be
withdrawn until then; a longer one applies at once.

`orders.privacy.anonymise_due` removes the data.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from django.contrib.admin.models import CHANGE
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.mail import send_alert
from orders import clock
from orders.audit import record
from orders.models import Kitchen, KitchenMember, Order

log = structlog.get_logger(__name__)

GRACE: Final = timedelta(hours=24)
# Above that, messages say “more than”: counting all of a large kitchen's orders would take seconds.
MOST_COUNTED: Final = 100_000
FIELD: Final = "Keep customer data, days"


@dataclass(frozen=True)
class Shortening:
    """From `at` on the kitchen keeps customers' data for `days` only; `orders`: how many lose theirs then."""

    kitchen: Kitchen
    days: int
    at: datetime
    orders: int

    def sentence(self) -> str:
        """“2,635 orders of Harju will lose …”, in the language that is active."""
        text = ngettext(
            "%(orders)s order of %(kitchen)s will lose its customer's data on %(at)s. "
            "Days for which it is kept: %(before)d now, %(days)d then.",
            "%(orders)s orders of %(kitchen)s will lose their customers' data on %(at)s. "
            "Days for which it is kept: %(before)d now, %(days)d then.",
            self.orders,
        )
        number = f"> {MOST_COUNTED}" if self.orders > MOST_COUNTED else str(self.orders)
        local = self.at.astimezone(self.kitchen.zone)
        return text % {
            "orders": number,
            "kitchen": self.kitchen.name,
            "at": f"{local:%Y-%m-%d %H:%M %Z}",
            "days": self.days,
            "before": self.kitchen.retention_days,
        }


def pending(kitchen: Kitchen) -> Shortening | None:
    """The shorter time that does not apply yet, if any."""
    if kitchen.retention_wanted is None or kitchen.retention_from is None:
        return None
    days, at = kitchen.retention_wanted, kitchen.retention_from
    return Shortening(kitchen, days, at, _losing(kitchen, days, at))


def set_days(slug: str, days: int, *, user: Any = None) -> Shortening | None:
    """Keep customers' data of a kitchen for so many days: from now on, or after a day where that is less. Returns
    what is pending then; it is also mailed to the kitchen's managers."""
    with transaction.atomic():
        kitchen = Kitchen.objects.select_for_update().get(pk=slug)
        before = kitchen.retention_days
        if days >= before:
            kitchen.retention_days, kitchen.retention_wanted, kitchen.retention_from = days, None, None
        else:
            kitchen.retention_wanted, kitchen.retention_from = days, clock.now() + GRACE
        kitchen.save(update_fields=["retention_days", "retention_wanted", "retention_from"])
        waiting = pending(kitchen)
        if waiting is None:
            record(
                "retention_set", kitchen, user=user, flag=CHANGE, fields=(FIELD,), days=days, before=before
            )
            return None
        record(
            "retention_asked",
            kitchen,
            user=user,
            flag=CHANGE,
            fields=(FIELD,),
            days=days,
            before=before,
            orders=waiting.orders,
            at=waiting.at.isoformat(timespec="minutes"),
        )
        transaction.on_commit(partial(_mail, waiting))
    log.info("retention_asked", kitchen=slug, days=days, before=before, orders=waiting.orders)
    return waiting


@transaction.atomic
def withdraw(slug: str, *, user: Any = None) -> bool:
    """Drop the pending change; false where there is none (any more)."""
    kitchen = Kitchen.objects.select_for_update().get(pk=slug)
    if kitchen.retention_from is None:
        return False
    days = kitchen.retention_wanted
    kitchen.retention_wanted = kitchen.retention_from = None
    kitchen.save(update_fields=["retention_wanted", "retention_from"])
    record("retention_withdrawn", kitchen, user=user, flag=CHANGE, fields=(FIELD,), days=days)
    return True


def apply_due(now: datetime) -> None:
    """Apply changes whose day has passed. May run twice at once."""
    for slug in Kitchen.objects.filter(retention_from__lte=now).values_list("pk", flat=True):
        with transaction.atomic():
            kitchen = Kitchen.objects.select_for_update().get(pk=slug)
            if kitchen.retention_from is None or kitchen.retention_from > now:
                continue
            before, days = kitchen.retention_days, kitchen.retention_wanted or kitchen.retention_days
            kitchen.retention_days, kitchen.retention_wanted, kitchen.retention_from = days, None, None
            kitchen.save(update_fields=["retention_days", "retention_wanted", "retention_from"])
            record("retention_set", kitchen, flag=CHANGE, fields=(FIELD,), days=days, before=before)


def _losing(kitchen: Kitchen, days: int, at: datetime) -> int:
    orders = Order.objects.filter(kitchen=kitchen, updated_at__lt=at - timedelta(days=days))
    if kitchen.anonymised_until is not None:
        orders = orders.filter(updated_at__gt=kitchen.anonymised_until)
    return len(orders.values_list("pk", flat=True)[: MOST_COUNTED + 1])


def _mail(waiting: Shortening) -> None:
    """To the alerts' addresses and the kitchen's managers, where mail is set up."""
    members = KitchenMember.objects.filter(kitchen=waiting.kitchen).values("user")
    managers = User.objects.filter(pk__in=members, is_active=True).exclude(email="")
    subject = _("Customers' data of %(kitchen)s will be removed") % {"kitchen": waiting.kitchen.name}
    body = _("Until then it can be taken back, on the kitchen's page in the admin.")
    send_alert(subject, f"{waiting.sentence()}\n\n{body}", managers.values_list("email", flat=True))
