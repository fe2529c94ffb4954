"""Customers' data: retention, export and erasure (GDPR, articles 15 and 17).

A customer's data is the name, phone number, delivery address, and free text: notes, and reasons in the history. What
happened to an order and when, its items and prices stay: they say nothing about a person. Apps that store copies of the
data listen to the signals `customer_data_removed` and `customer_erased`.

*Retention*: `Kitchen.retention_days` after its last change, an order loses its customer's data. The account's id stays,
so that figures of returning customers stay right. *Erasure*: all orders of an account lose the data at once, and the
account gets a random name that can't be traced back.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import QuerySet

from orders import clock, erasures, retention, statements
from orders.errors import OrdersStillOpen
from orders.models import Amendment, Kitchen, Order, OrderItem, StatusChange
from orders.models.orders import FREE_TEXT
from orders.models.querysets import past_the_guard
from orders.serializers import EVERYTHING, order_documents
from orders.signals import account_renamed, customer_data_removed, customer_erased
from orders.statuses import OPEN
from orders.traces import Traces

# Replaces a customer's name, which can't be empty.
ANONYMOUS: Final = "–"
NOTHING_WRITTEN: Final = dict.fromkeys(FREE_TEXT, "")
# One transaction each, so that no lock is held long.
BATCH: Final = 500
ERASED_PREFIX: Final = "erased-"


@dataclass(frozen=True)
class Erased:
    """`account`: the new name of the orders' account."""

    orders: int
    account: str


def anonymise_due(now: datetime | None = None) -> int:
    """Remove customers' data from all orders past their retention; returns how many. May be interrupted and run again:
    each kitchen stores how far it got."""
    now = now or clock.now()
    retention.apply_due(now)
    return sum(_anonymise_kitchen(kitchen, now) for kitchen in Kitchen.objects.order_by("slug"))


def _anonymise_kitchen(kitchen: Kitchen, now: datetime) -> int:
    until = now - timedelta(days=kitchen.retention_days)
    number = 0
    for batch in _batches(kitchen, until):
        with transaction.atomic():
            _remove_data([order_id for order_id, _ in batch])
            # Orders are processed by their last change, which only grows: one that is imported with an old date, or
            # changed again, lies after this mark.
            Kitchen.objects.filter(pk=kitchen.pk).update(anonymised_until=batch[-1][1])
        number += len(batch)
    return number


def _batches(kitchen: Kitchen, until: datetime) -> Iterator[list[tuple[str, datetime]]]:
    """Ids and times of last change, oldest first. Orders with the same time are in the same batch."""
    mark = kitchen.anonymised_until
    while True:
        orders = Order.objects.filter(kitchen=kitchen, updated_at__lt=until).order_by("updated_at")
        if mark is not None:
            orders = orders.filter(updated_at__gt=mark)
        batch = list(orders.values_list("id", "updated_at")[:BATCH])
        if not batch:
            return
        mark = batch[-1][1]
        same = orders.filter(updated_at=mark).exclude(id__in=[order_id for order_id, _ in batch])
        yield batch + list(same.values_list("id", "updated_at"))


def _remove_data(order_ids: Sequence[str], account: str | None = None) -> None:
    """`account`: the new name of the orders' account; None: unchanged."""
    Order.objects.filter(pk__in=order_ids).update(
        customer_name=ANONYMOUS, customer_phone="", delivery_address=None, **NOTHING_WRITTEN
    )
    items = OrderItem.objects.filter(order_id__in=order_ids)
    items.exclude(**NOTHING_WRITTEN).update(**NOTHING_WRITTEN)
    StatusChange.objects.empty_reasons(order_ids)
    _remove_notes_of_amendments(order_ids)
    customer_data_removed.send(Order, order_ids=list(order_ids), account=account)


def _remove_notes_of_amendments(order_ids: Sequence[str]) -> None:
    """Amendments hold earlier notes. Their times and quantities stay, because analytics uses them."""
    rows = list(Amendment.objects.filter(order_id__in=order_ids))
    if not rows:
        return
    with past_the_guard(DEFAULT_DB_ALIAS) as cursor:
        # The database refuses to update them, so they are written again.
        cursor.execute("DELETE FROM orders_amendment WHERE order_id = ANY(%s)", [list(order_ids)])
    for row in rows:
        row.changes = [change for change in row.changes if change["field"] != "note"]
        row.reason = ""
        statements.insert(Amendment, [row])


def export_account(account: str) -> Iterator[dict[str, Any]]:
    """All data of a customer: each of the account's orders as the API shows it, oldest first."""
    ids = list(
        Order.objects.filter(account=account).order_by("created_at", "id").values_list("id", flat=True)
    )
    for portion in batched(ids, BATCH):
        orders = Order.objects.in_bulk(portion)
        yield from order_documents(
            [orders[order_id] for order_id in portion if order_id in orders], EVERYTHING
        )


@transaction.atomic
def erase_account(account: str) -> Erased:
    """Remove a customer's data from all orders of an account, and give the account a random name.

    Raises OrdersStillOpen: a kitchen must be able to hand out what it cooks. An account without orders is no error.
    """
    pseudonym = ERASED_PREFIX + secrets.token_hex(8)
    # First: analytics takes its lock here, so that it counts no order that arrives meanwhile. It never waits for an
    # order's lock.
    account_renamed.send(Order, account=account, to=pseudonym)
    ids = list(Order.objects.filter(account=account).order_by("id").values_list("id", flat=True))
    # Locked by id as everywhere, and one by one, because a cluster's orders lie on several nodes.
    still_open = [order_id for order_id in ids if _locked_status(order_id) in OPEN]
    if still_open:
        raise OrdersStillOpen(still_open)
    _erase(account, ids, pseudonym)
    if ids:
        erasures.note(account, pseudonym)
    return Erased(len(ids), pseudonym)


def repeat_erasures() -> int:
    """Erase again what a restored backup has brought back; returns how many accounts. Orders newer than their account's
    erasure stay. Open ones are erased too: they were open when the backup was made."""
    repeated = 0
    for account, erasure in erasures.to_repeat():
        with transaction.atomic():
            came = {"history__sequence": 1, "history__recorded_at__lt": erasure.erased_at}
            orders = Order.objects.filter(account=account, **came).order_by("id")
            ids = list(orders.values_list("id", flat=True))
            if not ids:
                continue
            for order_id in ids:
                _locked_status(order_id)
            if Order.objects.filter(account=account).count() == len(ids):
                account_renamed.send(Order, account=account, to=erasure.account)
            _erase(account, ids, erasure.account)
        repeated += 1
    return repeated


def _erase(account: str, order_ids: Sequence[str], pseudonym: str) -> None:
    """`order_ids`: locked orders."""
    names, phones, channel_ids = set[str](), set[str](), set[str]()
    # In portions: a statement takes at most 65,535 parameters, and all guests of a shop may share one account.
    for portion in batched(order_ids, BATCH):
        orders: QuerySet[Order] = Order.objects.filter(pk__in=portion)
        for name, phone, channel_id in orders.values_list(
            "customer_name", "customer_phone", "channel_order_id"
        ):
            names.add(name)
            phones.add(phone)
            channel_ids.add(channel_id)
        _remove_data(portion, pseudonym)
        orders.update(account=pseudonym)
    traces = Traces.of(account, names, phones, channel_ids)
    customer_erased.send(Order, account=account, to=pseudonym, traces=traces)


def _locked_status(order_id: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM orders_order WHERE id = %s FOR UPDATE", [order_id])
        (status,) = cursor.fetchone()
    return int(status)
