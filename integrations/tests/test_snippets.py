"""The programs of docs/webhooks.md tell true messages from false ones."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from integrations.webhooks.signing import secret_of, signed_headers
from tests.node import run_node

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
SECRET, OLD = secret_of("endpoint", "new"), secret_of("endpoint", "old")
BODY = '{"type":"order.created","data":{"note":"ä"}}'.encode()


def snippet(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def cases() -> list[tuple[str, dict[str, str], bytes, bool]]:
    now = datetime.now(UTC)
    right = signed_headers("msg_1", BODY, [SECRET], now)
    both = signed_headers("msg_1", BODY, [SECRET, OLD], now)
    stale = signed_headers("msg_1", BODY, [SECRET], now - timedelta(minutes=6))
    return [
        (SECRET, right, BODY, True),
        (SECRET, both, BODY, True),
        (OLD, both, BODY, True),
        (OLD, right, BODY, False),
        (SECRET, right, BODY.replace(b"created", b"deleted"), False),
        (SECRET, right | {"webhook-id": "msg_2"}, BODY, False),
        (SECRET, stale, BODY, False),
    ]


def test_the_python_snippet_verifies() -> None:
    names: dict[str, Any] = {}
    exec(snippet("python"), names)
    for secret, headers, body, right in cases():
        assert names["receive"](secret, headers, body) == (json.loads(body) if right else None)


def test_the_javascript_snippet_verifies() -> None:
    given = json.dumps([[secret, headers, body.decode()] for secret, headers, body, _ in cases()])

    told = run_node(snippet("javascript"), f"{given}.map((one) => receive(...one))")

    assert told == [json.loads(body) if right else None for _, _, body, right in cases()]
