"""What analytics does when something changes that it has counted already."""

from typing import Any

from django.db import connection
from django.db.models import F

from analytics.models import Progress
from analytics.refresh import lock
from orders.models import Order


def account_renamed_receiver(sender: type[Order], account: str, to: str, **_: Any) -> None:
    """Of `orders.signals.account_renamed`: the figures go on under the new name. Takes the refresh's lock, so that none
    adds to the old name meanwhile."""
    lock()
    Progress.objects.update(renames=F("renames") + 1)
    with connection.cursor() as cursor:
        for table in ("analytics_customer", "analytics_customerhour", "analytics_customermonth"):
            cursor.execute(f"UPDATE {table} SET account = %s WHERE account = %s", [to, account])  # noqa: S608
