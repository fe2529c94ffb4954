import pytest

from integrations.models import Delivery
from integrations.tests.factories import endpoint
from orders.privacy import erase_account
from orders.services import move_order
from orders.statuses import PICKED_UP
from orders.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_a_receiver_repeated_of_a_customer_is_redacted_too() -> None:
    sink = endpoint()

    def told(account: str) -> Delivery:
        order = factories.order(account=account, customer_name="Ada Lovelace")
        move_order(order.id, PICKED_UP, actor="screen:expo")
        log = [
            {"at": "2026-05-01T12:00:00Z", "status": status, "ms": 9, "error": "", "answer": answer}
            for status, answer in ((422, "No such customer: Ada Lovelace"), (200, ""))
        ]
        return Delivery.objects.create(
            sink_id=sink.pk,
            order_id=order.id,
            sequence=1,
            event_type="order.created",
            at=order.created_at,
            log=log,
        )

    erased, other = told("acc-1"), told("acc-2")
    erase_account("acc-1")

    erased.refresh_from_db()
    other.refresh_from_db()
    assert [(entry["status"], entry["answer"]) for entry in erased.log] == [(422, ""), (200, "")]
    assert other.log[0]["answer"] == "No such customer: Ada Lovelace"
