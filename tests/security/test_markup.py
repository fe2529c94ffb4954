"""No template holds a script, a style or a handler: the policy would stop it, and the page would be broken."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted(path for path in (ROOT / "static").rglob("*.js") if "vendor" not in path.parts)
INLINE = re.compile(
    r"\son[a-z]+\s*=|<script(?![^>]*\b(src|nonce|type=\"application/json\")\b)|<style(?![^>]*nonce)|javascript:|\sstyle\s*=",
    re.IGNORECASE,
)
# Marks text as markup without looking at it.
UNESCAPED = re.compile(r"\|\s*safe\b|autoescape\s+off|mark_safe\(")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_holds_no_script_and_escapes_all(path: Path) -> None:
    text = path.read_text()
    if path.parts[-2:] != (
        "huuva",
        "redoc.html",
    ):  # ReDoc writes styles of its own, its page alone allows them
        assert [match[0] for match in INLINE.finditer(text)] == []
    assert [match[0] for match in UNESCAPED.finditer(text)] == []


def test_no_module_makes_markup_of_texts() -> None:
    """Text goes into pages as text; markup comes from our own templates only."""
    wild = re.compile(r"\beval\(|new Function\(|document\.write|insertAdjacentHTML|\.outerHTML\s*=")
    modules = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in SCRIPTS
        for match in wild.finditer(path.read_text())
    ]
    assert modules == []


def test_python_marks_no_text_as_safe() -> None:
    apps = ("huuva", "orders", "kitchen_display", "analytics", "integrations")
    places = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for app in apps
        for path in (ROOT / app).rglob("*.py")
        for match in UNESCAPED.finditer(path.read_text())
    ]
    # Puts a token of letters and digits into what a template has escaped.
    assert places == ["kitchen_display/templatetags/wall.py: mark_safe("]
