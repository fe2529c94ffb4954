"""GET /metrics counts the requests of all web processes, whichever of them is asked."""

from __future__ import annotations

import re
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.live_stack import LiveStack

SAMPLE = re.compile(
    r'huuva_http_request_seconds_count\{method="GET",route="([^"]*)",status="(\d+)"\} ([0-9.]+)'
)
ROUTE = "/api/openapi.json"


def counted(stack: LiveStack) -> float:
    with urlopen(f"{stack.base_url}/metrics") as answer:
        return sum(
            float(count)
            for route, status, count in SAMPLE.findall(answer.read().decode())
            if (route, status) == (ROUTE, "200")
        )


def test_requests_are_counted_over_all_processes(live_stack: LiveStack) -> None:
    before = counted(live_stack)
    for _ in range(12):  # a new connection each: both workers get some
        with urlopen(
            Request(f"{live_stack.base_url}/api/openapi.json", headers={"Connection": "close"})
        ) as answer:
            assert answer.status == 200

    assert {counted(live_stack) - before for _ in range(6)} == {12.0}


def test_labels_hold_no_ids(live_stack: LiveStack) -> None:
    request = Request(
        f"{live_stack.base_url}/api/orders/no-such-order-987",
        headers={"Authorization": f"Bearer {live_stack.key}"},
    )
    with pytest.raises(HTTPError, match="404"):
        urlopen(request)

    with urlopen(f"{live_stack.base_url}/metrics") as answer:
        text = answer.read().decode()

    assert "no-such-order-987" not in text
    assert 'method="GET",route="/api/orders/<id>",status="404"' in text
