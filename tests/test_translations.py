"""Every word of ours that people see is there in Finnish and Swedish, in the compiled form that is really used."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

ROOT = Path(__file__).parent.parent
APPS = ("huuva", "orders", "integrations", "kitchen_display", "analytics")
MARKS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "_"}
# What `templatize` makes of a template's translate and blocktranslate tags.
IN_TEMPLATE = re.compile(r"""\bn?gettext\(\s*(u?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))""")
PLACE = re.compile(r"%\(\w+\)0?\d*[sd]|%[sd]")


def words_in_python() -> Iterator[str]:
    for app in APPS:
        for file in (ROOT / app).rglob("*.py"):
            if "tests" in file.parts or "migrations" in file.parts:
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKS and node.args:
                    # The first one: a plural stands beside its singular.
                    word = getattr(node.args[0], "value", None)
                    if isinstance(word, str):
                        yield word


def words_in_templates() -> Iterator[str]:
    for file in (ROOT / "templates").rglob("*.html"):
        for match in IN_TEMPLATE.finditer(templatize(file.read_text())):
            yield ast.literal_eval(match[1].removeprefix("u"))


WORDS = sorted({*words_in_python(), *words_in_templates()} - {""})


@pytest.fixture(params=["fi", "sv"])
def known(request: pytest.FixtureRequest) -> dict[object, str]:
    """All our words of one language: the project's and those that an app keeps beside its code, as Django joins them."""
    words: dict[object, str] = {}
    for folder in (ROOT / "locale", *(ROOT / app / "locale" for app in APPS)):
        if folder.is_dir():
            words |= gettext.translation("django", folder, [request.param])._catalog  # type: ignore[attr-defined]
    return words


def test_there_are_words_of_both_kinds() -> None:
    assert {"Late now", "%d key revoked.", "Timeline", "change %(number)s"} <= set(WORDS)


def test_each_word_is_translated(known: dict[object, str]) -> None:
    missing = [word for word in WORDS if not (known.get(word) or known.get((word, 1)))]

    assert missing == []


def test_placeholders_stay(known: dict[object, str]) -> None:
    wrong = {
        word: known[word]
        for word in WORDS
        if word in known and sorted(PLACE.findall(word)) != sorted(PLACE.findall(known[word]))
    }

    assert wrong == {}
