"""What an integrator hears, and when: the loop with a real receiver."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from integrations.deliveries import create
from integrations.deliveries.loop import Loop
from integrations.models import Delivery, DeliveryProgress, WebhookEndpoint
from integrations.tests.factories import endpoint
from integrations.tests.sinks import told, work_off
from orders import services
from orders.recall import recall
from orders.statuses import CANCELLED, PREPARING, READY, RECEIVED
from orders.tests import factories
from tests.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("open_network")]


def test_every_change_of_an_order_is_told_in_its_order(receiver: Receiver, loop: Loop) -> None:
    endpoint(receiver.url())
    order = factories.order(RECEIVED, RECEIVED)
    services.move_item(order.id, "P0", PREPARING, actor="screen:grill")
    services.move_order(order.id, READY, actor="key:wolt")
    recall(order.id, actor="user:anna", reason="wrong ticket")
    work_off(loop)
    assert told(receiver.requests) == [
        ("order.created", 1),
        ("item.status_changed", 4),
        ("order.status_changed", 5),
        ("order.status_changed", 6),
        ("item.status_changed", 7),
        ("item.status_changed", 8),
        ("order.recalled", 9),
        ("item.status_changed", 10),
        ("item.status_changed", 11),
    ]
    assert {delivery.state for delivery in Delivery.objects.all()} == {Delivery.State.DELIVERED}


def test_an_event_shows_the_order_as_it_was_right_after_the_change(receiver: Receiver, loop: Loop) -> None:
    endpoint(receiver.url())
    order = factories.order(RECEIVED, RECEIVED)
    services.move_order(order.id, PREPARING, actor="key:wolt")
    services.move_order(order.id, READY, actor="key:wolt")
    work_off(loop)
    bodies = [json.loads(one.body) for one in receiver.requests]
    seen = [
        (body["data"]["order"]["status"], [item["status"] for item in body["data"]["order"]["items"]])
        for body in bodies
        if body["type"].startswith("order.")
    ]
    assert seen == [
        ("RECEIVED", ["ORDERED", "ORDERED"]),
        ("PREPARING", ["PREPARING", "PREPARING"]),
        ("READY", ["READY", "READY"]),
    ]
    assert [body["data"]["order"]["version"] for body in bodies if body["type"].startswith("order.")] == [
        1,
        2,
        3,
    ]


def test_an_order_that_brings_its_past_along_is_created_once(receiver: Receiver, loop: Loop) -> None:
    endpoint(receiver.url())
    long_ago = datetime.now(UTC) - timedelta(days=2)
    factories.order(PREPARING, status=PREPARING, history=[(RECEIVED, long_ago), (PREPARING, long_ago)])
    work_off(loop)
    assert told(receiver.requests) == [("order.created", 1)]
    body = json.loads(receiver.requests[0].body)
    assert body["data"]["order"]["status"] == "PREPARING"
    assert body["timestamp"] > (datetime.now(UTC) - timedelta(minutes=1)).isoformat()


def test_an_endpoint_hears_only_what_it_asked_for(receiver: Receiver, loop: Loop) -> None:
    main, other = factories.kitchen("main"), factories.kitchen("other")
    endpoint(receiver.url("/main"), kitchen=main)
    wolt = endpoint(receiver.url("/wolt"), channel="wolt")
    wolt.events = ["order.created"]
    wolt.save(update_fields=["events"])
    first = factories.order(RECEIVED, of=main, channel="wolt")
    second = factories.order(RECEIVED, of=other, channel="wolt")
    services.move_order(second.id, PREPARING, actor="key:test")
    third = factories.order(RECEIVED, of=main, channel="foodora")
    work_off(loop)
    heard = [(one.path, json.loads(one.body)["data"]["orderId"]) for one in receiver.requests]
    assert sorted(heard) == sorted(
        [("/main", first.id), ("/main", third.id), ("/wolt", first.id), ("/wolt", second.id)]
    )


def test_what_happened_before_an_endpoint_was_made_is_not_told(receiver: Receiver, loop: Loop) -> None:
    endpoint(receiver.url("/first"))
    factories.order(RECEIVED)
    endpoint(receiver.url("/second"))
    later = factories.order(RECEIVED)
    work_off(loop)
    assert [
        json.loads(one.body)["data"]["orderId"] for one in receiver.requests if one.path == "/second"
    ] == [later.id]


def test_late_is_told_once_after_what_was_known_then(receiver: Receiver, loop: Loop) -> None:
    endpoint(receiver.url())
    order = factories.order(RECEIVED)
    work_off(loop)
    type(order).objects.filter(pk=order.id).update(due_at=datetime.now(UTC) - timedelta(seconds=1))
    create.make_deliveries(late=True)
    services.move_order(order.id, PREPARING, actor="key:test")
    create.make_deliveries(late=True)
    work_off(loop)
    assert told(receiver.requests) == [
        ("order.created", 1),
        ("order.late", 2),
        ("order.status_changed", 3),
        ("item.status_changed", 4),
    ]
    assert json.loads(receiver.requests[1].body)["data"]["change"] is None


def test_an_order_that_was_ready_in_time_is_not_late(loop: Loop) -> None:
    endpoint()
    order = factories.order(RECEIVED, status=READY)
    type(order).objects.filter(pk=order.id).update(due_at=datetime.now(UTC) - timedelta(hours=1))
    create.make_deliveries(late=True)
    assert not Delivery.objects.filter(event_type="order.late").exists()


def test_an_event_is_made_once_however_often_the_feed_gives_it() -> None:
    endpoint()
    order = factories.order(RECEIVED)
    create.make_deliveries()
    DeliveryProgress.objects.update(cursor="")
    create.make_deliveries()
    assert Delivery.objects.filter(order_id=order.id).count() == 1


def test_pages_of_one_row_make_the_same_deliveries() -> None:
    endpoint()
    order = factories.order(RECEIVED, RECEIVED)
    services.move_order(order.id, CANCELLED, actor="key:test")
    while create.make_deliveries(page_size=1)[1]:
        pass
    assert list(Delivery.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 4, 5, 6]


def test_an_earlier_change_goes_along_where_the_feed_gives_it_later() -> None:
    """A transaction may have its id before it gets the order's lock."""
    endpoint()
    order = factories.order(RECEIVED)
    create.make_deliveries()
    services.move_item(order.id, "P0", PREPARING, actor="key:test")
    services.move_item(order.id, "P0", READY, actor="key:test")
    with connection.cursor() as cursor:
        # The last change gets the older id; the guard of the history is only for those who forget.
        cursor.execute("ALTER TABLE orders_statuschange DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE orders_statuschange c SET tx = (SELECT min(tx::text::bigint)::text::xid8 FROM orders_statuschange "
            "WHERE change = 2) WHERE change = 3"
        )
        cursor.execute(
            "UPDATE orders_statuschange SET tx = (tx::text::bigint + 1)::text::xid8 WHERE change = 2"
        )
        cursor.execute("ALTER TABLE orders_statuschange ENABLE TRIGGER USER")
    create.make_deliveries(page_size=1)
    made = Delivery.objects.filter(sequence__gt=1).order_by("sequence")
    assert [delivery.sequence for delivery in made][:2] == [3, 4]


def test_without_anybody_to_tell_the_feed_is_passed_over() -> None:
    order = factories.order(RECEIVED)
    create.make_deliveries()
    endpoint()
    create.make_deliveries()
    assert not Delivery.objects.exists()
    services.move_order(order.id, PREPARING, actor="key:test")
    create.make_deliveries()
    assert Delivery.objects.count() == 2


def test_no_plan_is_kept_of_what_grows_from_nothing_to_thousands(receiver: Receiver, loop: Loop) -> None:
    """A claim by a plan from when nothing waited reads for each delivery all of its sink's."""
    endpoint(receiver.url())
    for _ in range(8):
        factories.order(RECEIVED)
        work_off(loop)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%WITH picked AS%' "
            "OR statement LIKE '%INSERT INTO integrations_delivery%WITH%' "
            "OR statement LIKE '%UPDATE integrations_delivery d SET state%'"
        )
        assert cursor.fetchall() == []
    assert len(receiver.requests) == 8


def test_a_lease_of_a_loop_that_is_gone_counts_for_nothing(receiver: Receiver, loop: Loop) -> None:
    endpoint(receiver.url())
    factories.order(RECEIVED)
    create.make_deliveries()
    Delivery.objects.update(leased_by="killed", leased_until=datetime.now(UTC) + timedelta(minutes=1))
    work_off(loop)
    assert len(receiver.requests) == 1


def test_a_refused_address_is_never_asked(receiver: Receiver, loop: Loop, settings: object) -> None:
    endpoint(receiver.url())
    settings.HUUVA_WEBHOOKS_ALLOW_PRIVATE = False  # type: ignore[attr-defined]
    factories.order(RECEIVED)
    work_off(loop)
    assert receiver.requests == []
    assert Delivery.objects.get().log[0]["error"] == "address_refused"


def test_customer_data_goes_only_where_it_may(receiver: Receiver, loop: Loop) -> None:
    endpoint(receiver.url("/without"))
    WebhookEndpoint.objects.update(include_customer=False)
    endpoint(receiver.url("/with"), include_customer=True)
    factories.order(
        RECEIVED, customer_name="Ada Lovelace", customer_phone="+358401", account="acc-ada", note="call me"
    )
    work_off(loop)
    by_path = {one.path: one.body.decode() for one in receiver.requests}
    for secret in ("Ada Lovelace", "+358401", "acc-ada", "call me"):
        assert secret in by_path["/with"]
        assert secret not in by_path["/without"]
