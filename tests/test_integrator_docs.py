"""What the pages for integrators show really works: their programs and their mapping."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from integrations.adapters.base import LinkFacts
from integrations.adapters.generic import Generic
from integrations.channels.secrets import sign
from tests.live_stack import LiveStack
from tests.node import run_node

DOCS = Path(__file__).resolve().parent.parent / "docs"
SECRET = "the secret of the page's channel"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def ran(live_stack: LiveStack) -> list[str]:
    """What each Python program of the page prints, the last one first: it makes the order that the first one finds."""
    live_stack.issue_key(kitchen="main")
    live_stack.manage(
        "create_channel_link", "Docs", "--slug", "docs", "--external-id", "docs-link",
        "--secret", SECRET, "--location", "docs-place=main",
    )  # fmt: skip
    environment = {**os.environ, "HUUVA": live_stack.base_url, "KEY": live_stack.key, "SECRET": SECRET}
    return [
        subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for program in reversed(blocks("integrators.md", "python"))
    ]


def test_the_program_that_signs_an_order_gets_it_accepted(ran: list[str]) -> None:
    assert json.loads(ran[0]) == {"id": "docs:60f8a2c81c9d440000a1b2c3"}


def test_the_program_that_polls_knows_the_status_of_each_order(ran: list[str]) -> None:
    assert json.loads(ran[1])["docs:60f8a2c81c9d440000a1b2c3"] == "RECEIVED"


def test_the_javascript_signs_and_checks_as_we_do() -> None:
    (program,) = blocks("integrators.md", "javascript")
    body = '{"note":"ä 🍣"}'
    ours = sign(SECRET, body.encode())
    right, wrong = json.dumps([SECRET, body, ours]), json.dumps([SECRET, body.upper(), ours])

    assert run_node(program, f"sign({json.dumps(SECRET)}, {json.dumps(body)})") == ours
    assert run_node(program, f"[isSigned(...{right}), isSigned(...{wrong}), isSigned('', '', null)]") == [
        True,
        False,
        False,
    ]


def test_the_mapping_of_the_page_reads_the_body_of_the_page() -> None:
    body, mapping = (json.loads(block) for block in blocks("adding-a-channel.md", "json"))
    assert Generic().check_mapping(mapping) == []
    read = Generic().read(body, LinkFacts("shop", "Web shop", "", mapping=mapping))
    assert (read.external_id, read.location, read.status) == ("A-1001", "harbour", "NEW")
    assert read.order is not None
    (item,) = read.order.items
    assert item.plu == "CAT1-0001"
    assert item.details["modifiers"] == [
        {"name": "Extra cheese", "quantity": 1, "modifiers": [{"name": "Cheddar", "quantity": 1}]}
    ]
