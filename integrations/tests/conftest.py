"""A receiver of webhooks on this machine, and the loop that sends to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.deliveries.loop import Loop
from integrations.tests.sinks import running
from tests.receiver import Receiver


@pytest.fixture
def open_network(settings: Any) -> None:
    settings.HUUVA_WEBHOOKS_ALLOW_PRIVATE = settings.HUUVA_WEBHOOKS_ALLOW_HTTP = True


@pytest.fixture
def receiver(open_network: None) -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture
def loop(transactional_db: None) -> Iterator[Loop]:
    with running() as found:
        yield found
