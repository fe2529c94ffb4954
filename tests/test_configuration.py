"""docs/configuration.md lists every variable as the settings declare it."""

from __future__ import annotations

import re
from pathlib import Path

from core.env import Variable
from huuva.settings import env

PAGE = (Path(__file__).resolve().parent.parent / "docs/configuration.md").read_text()
# Defaults that are worked out from others.
COMPUTED = {
    "HUUVA_HOME": "`var` in the project",
    "HUUVA_ALLOWED_HOSTS": "`localhost,127.0.0.1,[::1]` and `HUUVA_HOST`",
}


def row(variable: Variable) -> str:
    default = COMPUTED.get(variable.name) or (f"`{variable.default}`" if variable.default else "")
    kind = f"{variable.kind}, secret" if variable.secret else variable.kind
    return f"| `{variable.name}` | {kind} | {default} | {variable.description} |"


def test_every_variable_has_its_row() -> None:
    assert [row(variable) for variable in env.variables.values() if row(variable) not in PAGE] == []


def test_every_row_is_a_variable() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE)) == set(env.variables)


def test_every_variable_is_described() -> None:
    assert [variable.name for variable in env.variables.values() if not variable.description] == []
