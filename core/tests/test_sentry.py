import logging
from typing import Any

import pytest
import sentry_sdk
import structlog
from sentry_sdk.transport import Transport

from core import sentry

SECRET = "Ada Lovelace +358401234567"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would go to Sentry; nothing leaves this process."""
    events: list[Any] = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            events.append(envelope.get_event())

    real = sentry_sdk.init
    monkeypatch.setattr(sentry_sdk, "init", lambda **words: real(**{**words, "transport": Kept}))
    sentry.start("https://key@sentry.example.com/1", "test")
    yield events
    real(dsn=None)


def test_an_error_is_sent_without_customer_data_and_with_the_requests_id(sent: list[Any]) -> None:
    name = SECRET
    structlog.contextvars.bind_contextvars(request_id="find-me")
    try:
        raise ValueError(f"duplicate key\nDETAIL: Key (name)=({name}) already exists.")
    except ValueError:
        sentry_sdk.capture_exception()
    finally:
        structlog.contextvars.clear_contextvars()

    [event] = sent
    assert event["exception"]["values"][0]["value"] == "duplicate key"
    assert event["tags"]["request_id"] == "find-me"
    assert SECRET not in repr(event) and "+358" not in repr(event)


def test_a_request_is_sent_as_method_and_path_alone() -> None:
    event = {
        "request": {
            "method": "POST",
            "url": f"https://kitchen.example/api/orders?account={SECRET}",
            "data": {"name": SECRET},
            "headers": {"Authorization": "Bearer x"},
            "query_string": SECRET,
        },
        "user": {"username": SECRET},
        "extra": {"row": SECRET},
    }

    cleaned = sentry.cleaned(event, {})

    assert cleaned["request"] == {"method": "POST", "url": "https://kitchen.example/api/orders"}
    assert SECRET not in repr(cleaned)


def test_a_log_message_is_sent_without_its_values(sent: list[Any]) -> None:
    value = "table 7 by the window"  # no customer's: our own log does get it
    logging.getLogger("somebody").error("order of %s", value)
    structlog.get_logger("ours").error("order_lost", order=value)

    assert [event["logentry"] for event in sent] == [{"message": "order of %s"}, {"message": "order_lost"}]
    assert value not in repr(sent)
