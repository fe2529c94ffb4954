"""The drawing of the packages in docs/architecture.md is the import graph."""

import re
import tomllib

import grimp

from core.env import PROJECT_ROOT

PACKAGES = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "root_packages"
]


def is_test(module: str) -> bool:
    """Tests of an app may use everything; the package `tests` is drawn."""
    return "tests" in module.split(".")[1:]


def test_drawing_of_the_packages_is_the_import_graph() -> None:
    page = (PROJECT_ROOT / "docs/architecture.md").read_text()
    section = page.partition("## Packages")[2].partition("\n## ")[0]
    drawn = re.findall(r"^    (\w+) --> (\w+)$", section, re.MULTILINE)
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)

    imports = {
        (importer.partition(".")[0], imported.partition(".")[0])
        for importer in graph.modules
        if not is_test(importer)
        for imported in graph.find_modules_directly_imported_by(importer)
    }

    assert {(a, b) for a, b in imports if a != b} == set(drawn)
    assert len(drawn) == len(set(drawn))


def test_every_package_of_the_tree_is_under_the_import_rules() -> None:
    packages = {path.parent.name for path in PROJECT_ROOT.glob("*/__init__.py")}

    assert packages == set(PACKAGES)
