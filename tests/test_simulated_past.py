"""A simulated past sends no events: nothing of it happens now."""

from datetime import UTC, datetime, timedelta

import pytest

from huuva.ops.simulation.filling import fill
from huuva.ops.simulation.past import Past
from integrations.deliveries import create
from integrations.models import Delivery, LateNote
from integrations.tests.factories import endpoint
from orders.models import StatusChange
from orders.statuses import RECEIVED
from orders.tests import factories


@pytest.mark.django_db(transaction=True)
def test_a_simulated_past_sends_no_webhook() -> None:
    endpoint()
    kitchen = factories.kitchen()
    create.make_deliveries()
    fill([Past(kitchen, 1, 40, 1, datetime.now(UTC) - timedelta(hours=1))], lambda *_: None)
    assert StatusChange.objects.count() > 100
    while create.make_deliveries()[1]:
        pass
    assert not Delivery.objects.exists()
    assert not LateNote.objects.exists()
    factories.order(RECEIVED)
    create.make_deliveries()
    assert Delivery.objects.count() == 1
