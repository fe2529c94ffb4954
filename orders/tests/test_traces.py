"""By what a customer is looked for in texts that belong to no order, and by what nobody is."""

import json

import pytest

from orders.traces import Traces

TRACES = Traces.of(
    "acc-1", ["Ada Lovelace", "Ada", "#12"], ["+358 40 1234567", "112"], ["12", "channel-0815"]
)


@pytest.mark.parametrize(
    "value",
    [
        "ada  LOVELACE",
        "for Ada Lovelace, please",
        "+358401234567",
        "040-123 45 67",
        "call 0401234567 at the door",
        358401234567,
        "acc-1",
        "channel-0815",
    ],
)
def test_a_customer_is_told_by_name_number_and_ids(value: str | int) -> None:
    payload = json.dumps({"order": [{"somewhere": value}]})

    assert TRACES.in_payload(payload)
    assert TRACES.in_payload(payload[:-1]), "no JSON any more: looked for as a text"


@pytest.mark.parametrize("value", ["Ada", "#12", "12", 12, "112", "Ada Byron", "+358401234568", "acc-12", ""])
def test_what_may_be_somebody_else_s_tells_nothing(value: str | int) -> None:
    assert not TRACES.in_payload(json.dumps({"order": [{"somewhere": value, "Ada Lovelace": True}]}))


def test_a_customer_without_data_is_told_by_nothing() -> None:
    assert not Traces.of("a", ["–"], [""], ["7"]).in_payload('{"a": "–", "phone": "", "n": "7"}')
