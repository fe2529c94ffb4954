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
        for found in IN_TEMPLATE.finditer(templatize(file.read_text())):
            yield ast.literal_eval(found[1].removeprefix("u"))


WORDS = sorted({*words_in_python(), *words_in_templates()} - {""})


@pytest.fixture(params=["fi", "sv"])
def catalogue(request: pytest.FixtureRequest) -> gettext.NullTranslations:
    return gettext.translation("django", ROOT / "locale", [request.param])


def test_there_are_words_of_both_kinds() -> None:
    assert {"Late now", "%d key revoked.", "Timeline", "change %(number)s"} <= set(WORDS)


def test_each_word_is_translated(catalogue: gettext.GNUTranslations) -> None:
    known: dict[object, str] = catalogue._catalog  # type: ignore[attr-defined]
    missing = [word for word in WORDS if not (known.get(word) or known.get((word, 1)))]

    assert missing == []


def test_placeholders_stay(catalogue: gettext.GNUTranslations) -> None:
    known: dict[object, str] = catalogue._catalog  # type: ignore[attr-defined]
    wrong = {
        word: known[word]
        for word in WORDS
        if word in known and sorted(PLACE.findall(word)) != sorted(PLACE.findall(known[word]))
    }

    assert wrong == {}
