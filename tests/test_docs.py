"""The docs are correct: their links lead somewhere, their make targets exist, their examples run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from django.urls import get_resolver

from core.openapi import PROBLEMS
from tests.live_stack import LiveStack

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
EXAMPLE = re.compile(r"^```sh\n(curl .*?)\n# (\d{3})\n```$", re.MULTILINE | re.DOTALL)


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(FENCED.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(
        re.findall(r"(?:`|^|\s)make ([a-z][a-z-]*)(?=`| [A-Z]+=|\s*$|\s+#)", page.read_text(), re.MULTILINE)
    )
    assert named <= targets


def test_every_problem_code_is_in_a_table_that_says_what_to_change() -> None:
    assert get_resolver().url_patterns  # problems are noted as the views are loaded
    pages = "".join(
        (ROOT / "docs" / page).read_text() for page in ("api.md", "integrators.md", "webhooks.md")
    )
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", pages, re.MULTILINE)
    documented = {(code, int(status)) for status, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)}
    assert {(code, status) for code, (status, _detail) in PROBLEMS.items()} - documented == set()
    # Live has no views: its codes are those in its own source.
    live = "".join(path.read_text() for path in (ROOT / "huuva/live").glob("*.py"))
    codes = re.findall(r'(?:Refusal\(\s*\d{3},|BadToken\()\s*"([a-z_]+)"', live)
    assert len(codes) >= 5
    assert set(codes) - PROBLEMS.keys() == set()


def test_every_adr_is_listed() -> None:
    listed = (ROOT / "docs/architecture.md").read_text()
    assert [adr.name for adr in (ROOT / "docs/adr").glob("*.md") if adr.name not in listed] == []


@pytest.mark.parametrize("page", ["docs/api.md", "docs/integrators.md"])
def test_api_examples_answer_as_the_page_says(live_stack: LiveStack, page: str) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip(f"curl is not installed: the examples of {page} were not run")
    text = (ROOT / page).read_text()
    examples = EXAMPLE.findall(text)
    assert len(examples) == text.count("\n```sh\n")
    # Ids of this run only: the stack may have seen the page before.
    run = uuid.uuid4().hex[:8]
    # Each example as it stands, but silent, with only the status printed.
    quiet = 'curl() { command curl --silent --output /dev/null --write-out "%{http_code}" "$@"; }\n'
    # Other tests make kitchens of their own; a reader of the page has one.
    key = live_stack.issue_key(kitchen="main", rate_limit=0)
    environment = {**os.environ, "HUUVA": live_stack.base_url, "KEY": key}
    wrong = []
    for command, status in examples:
        script = quiet + command.replace("docs-1", f"docs-{run}-1")
        answered = subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        if answered.stdout != status:
            wrong.append((command, status, answered.stdout))
    assert wrong == []
