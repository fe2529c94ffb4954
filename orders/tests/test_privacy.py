"""Customers' data goes when its time has come, and when its owner asks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orders import clock, erasures, privacy
from orders.amendments import amend_order
from orders.consistency import differences
from orders.errors import OrdersStillOpen
from orders.models import Amendment, Erasure, Kitchen, Order, OrderItem, StatusChange
from orders.new import NewItem
from orders.privacy import ANONYMOUS, anonymise_due, erase_account, export_account, repeat_erasures
from orders.services import move_order
from orders.signals import customer_data_removed
from orders.statuses import CANCELLED, PICKED_UP
from orders.tests import factories

pytestmark = pytest.mark.django_db
DATA = {
    "customer_name": "Ada Lovelace",
    "customer_phone": "+358401234567",
    "delivery_address": {"city": "Helsinki", "street": "Kuja 1", "postalCode": "00100"},
    "note": "ring at Ada's",
}


def order(id: str, kitchen: Kitchen | None = None, *, done: bool = True, account: str = "acc-1") -> Order:
    created = factories.order(
        of=kitchen,
        id=id,
        pickup_time=clock.now() + timedelta(minutes=20),
        items=[NewItem("P0", {"name": "Dish", "quantity": 2, "note": "for Ada", "price": 990})],
        account=account,
        brand_id="b",
        channel_order_id=id,
        **DATA,
    )
    return move_order(id, PICKED_UP, actor="user:anna") if done else created


def has_data(order_id: str) -> bool:
    stored = Order.objects.get(pk=order_id)
    kept = {name: getattr(stored, name) for name in DATA}
    note = OrderItem.objects.get(order_id=order_id).note
    if kept == DATA and note == "for Ada":
        return True
    assert kept == {
        "customer_name": ANONYMOUS,
        "customer_phone": "",
        "delivery_address": None,
        "note": "",
    }
    assert note == ""
    return False


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`days(n)`: n days from now it is."""
    start = datetime.now(UTC)

    def later(number: float) -> datetime:
        moment = start + timedelta(days=number)
        monkeypatch.setattr(clock, "now", lambda: moment)
        return moment

    return later  # type: ignore[return-value]


def test_data_goes_when_the_kitchens_days_are_over(days: Any) -> None:
    short, long = factories.kitchen("short", retention_days=10), factories.kitchen("long", retention_days=20)
    days(0)
    order("early", short)
    order("kept", long)
    days(5)
    order("late", short)
    history = StatusChange.objects.count()

    days(10.5)
    assert anonymise_due() == 1
    assert [has_data(name) for name in ("early", "late", "kept")] == [False, True, True]
    assert anonymise_due() == 0
    days(30)
    assert anonymise_due() == 2

    stored = Order.objects.get(pk="early")
    assert (stored.account, stored.version) == ("acc-1", 2)
    assert OrderItem.objects.get(order_id="early").price == 990
    assert StatusChange.objects.count() == history
    assert differences() == []


def test_days_count_from_the_last_change(days: Any) -> None:
    days(0)
    order("open", done=False)
    days(89)
    move_order("open", CANCELLED, actor="user:anna")
    days(100)
    assert anonymise_due() == 0
    days(180)
    assert anonymise_due() == 1


def test_an_order_with_an_old_date_that_comes_later_is_not_forgotten(days: Any) -> None:
    days(0)
    order("first")
    days(91)
    assert anonymise_due() == 1
    factories.order(id="imported", note="secret", created_at=clock.now() - timedelta(days=400))
    days(182)
    assert anonymise_due() == 1
    assert Order.objects.get(pk="imported").note == ""


def test_many_orders_changed_at_one_moment_are_all_gone_through(
    days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "BATCH", 2)
    days(0)
    for number in range(5):
        order(f"same-{number}")
    days(1)
    for number in range(3):
        order(f"other-{number}")
    days(200)

    assert anonymise_due() == 8
    assert not any(has_data(pk) for pk in Order.objects.values_list("pk", flat=True))


def test_a_run_that_was_ended_halfway_goes_on_where_it_was(
    days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "BATCH", 1)
    for number in range(3):
        days(number)
        order(f"o{number}")
    days(200)
    seen: list[str] = []

    def end_at_the_second(sender: Any, order_ids: list[str], **_: Any) -> None:
        seen.extend(order_ids)
        if len(seen) == 2:
            raise KeyboardInterrupt

    customer_data_removed.connect(end_at_the_second)
    try:
        with pytest.raises(KeyboardInterrupt):
            anonymise_due()
        assert [has_data(f"o{number}") for number in range(3)] == [False, True, True]
        assert anonymise_due() == 2
    finally:
        customer_data_removed.disconnect(end_at_the_second)
    assert seen == ["o0", "o1", "o1", "o2"]


def test_a_customer_gets_all_that_is_kept() -> None:
    order("mine-1")
    order("mine-2", factories.kitchen("other"))
    order("theirs", account="acc-2")
    out, err = StringIO(), StringIO()

    call_command("export_account", "acc-1", stdout=out, stderr=err)

    documents = [orjson.loads(line) for line in out.getvalue().splitlines()]
    assert [document["id"] for document in documents] == ["mine-1", "mine-2"]
    assert documents[0]["customer"] == {"name": "Ada Lovelace", "phoneNumber": "+358401234567"}
    assert documents[0]["items"][0]["note"] == "for Ada"
    assert err.getvalue() == "2 orders.\n"


def test_an_erased_account_leaves_nothing_of_its_customer() -> None:
    order("mine-1")
    order("mine-2", factories.kitchen("other"))
    order("theirs", account="acc-2")
    out = StringIO()

    call_command("erase_account", "acc-1", "--yes", stdout=out)

    assert [has_data(name) for name in ("mine-1", "mine-2", "theirs")] == [False, False, True]
    accounts = set(Order.objects.filter(pk__startswith="mine").values_list("account", flat=True))
    [pseudonym] = accounts
    assert pseudonym.startswith("erased-") and pseudonym in out.getvalue()
    assert list(export_account("acc-1")) == []
    assert erase_account("acc-1").orders == 0


def test_an_account_of_many_orders_is_erased_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "BATCH", 2)
    for number in range(5):
        order(f"mine-{number}")

    with CaptureQueriesContext(connection) as asked:
        erased = erase_account("acc-1")

    assert set(Order.objects.values_list("account", flat=True)) == {erased.account}
    renamed = [query for query in asked if query["sql"].startswith('UPDATE "orders_order" SET "account"')]
    assert len(renamed) == 3


def test_open_orders_keep_their_account_until_they_are_handed_out() -> None:
    order("done")
    order("open", done=False)

    with pytest.raises(OrdersStillOpen, match="such as open"):
        erase_account("acc-1")
    with pytest.raises(CommandError, match="still open"):
        call_command("erase_account", "acc-1", "--yes")

    assert has_data("done") and has_data("open")
    assert set(Order.objects.values_list("account", flat=True)) == {"acc-1"}


@pytest.mark.parametrize("typed", ["n\n", ""])  # "": there is no terminal
def test_erasing_asks_first(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    order("done")
    monkeypatch.setattr("sys.stdin", StringIO(typed))

    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_account", "acc-1")

    assert has_data("done")


def test_notes_as_they_were_before_an_amendment_go_too() -> None:
    order("amended", done=False)
    later = clock.now() + timedelta(hours=2)
    amend_order("amended", note="ring at Bob's", pickup_time=later, actor="key:test", reason="Ada called")
    move_order("amended", PICKED_UP, actor="user:anna")
    before = Amendment.objects.get()
    assert {change["field"] for change in before.changes} == {"note", "pickup_time", "due_at"}

    erase_account("acc-1")

    after = Amendment.objects.get()
    assert after.changes == [change for change in before.changes if change["field"] != "note"]
    assert (after.version, after.at, after.reason) == (before.version, before.at, "")
    with pytest.raises(IntegrityError), transaction.atomic():
        StatusChange.objects.filter(order_id="amended").delete()


def test_orders_that_came_after_an_erasure_are_not_erased_again() -> None:
    order("before")
    erased = erase_account("acc-1")
    Order.objects.update(account="acc-1", customer_name="Ada Lovelace")  # as an older backup has it
    order("after")

    assert repeat_erasures() == 1
    assert repeat_erasures() == 0

    assert dict(Order.objects.values_list("id", "account")) == {"before": erased.account, "after": "acc-1"}
    assert Order.objects.get(pk="before").customer_name == ANONYMOUS
    assert has_data("after")


def test_the_list_of_erased_accounts_names_none() -> None:
    order("mine")
    erased = erase_account("acc-1")
    erase_account("nobody-has-this-one")

    [row] = Erasure.objects.values()
    assert row["account"] == erased.account and "acc-1" not in str(row)
    assert erasures.to_repeat() == []


def test_of_two_erasures_of_an_account_the_latest_counts(days: Any) -> None:
    days(0)
    order("mine")
    first = erase_account("acc-1")
    [early] = erasures.listed()
    days(1)
    order("mine-again")
    second = erase_account("acc-1")
    [late] = erasures.listed()

    erasures.add([early])

    assert erasures.listed() == [late]
    assert (early.account, late.account) == (first.account, second.account)
