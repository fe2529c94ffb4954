"""deploy/: the alert rules and the Grafana dashboard use metrics that exist, and systemd understands its units."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from huuva.live.answers import metrics as live_metrics
from huuva.live.streams import Streams
from tests.live_stack import LiveStack

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
RULES = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((DEPLOY / "grafana" / "huuva.json").read_text())
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
NAME = re.compile(r"\bhuuva_[a-z_]+")


@pytest.fixture(scope="module")
def published(live_stack: LiveStack) -> set[str]:
    """The names of all metrics, of web and of live."""
    with urlopen(f"{live_stack.base_url}/metrics") as answer:
        text = answer.read().decode() + live_metrics(Streams(1)).decode()
    return set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))


def test_expressions_use_metrics_that_exist(published: set[str]) -> None:
    used = {name for expression in EXPRESSIONS for name in NAME.findall(expression)}

    assert len(used) > 5
    assert {re.sub(r"_seconds_(bucket|count|sum)$", "_seconds", name) for name in used} - published == set()


def test_the_docs_list_all_metrics_and_no_others(published: set[str]) -> None:
    page = (DEPLOY.parent / "docs" / "configuration.md").read_text()

    assert set(re.findall(r"`(huuva_[a-z_]+)`", page)) == published


def test_metrics_that_are_the_same_on_each_web_machine_count_once() -> None:
    """Gauges of the database are the same wherever they are asked for; requests, logins and streams are a process's own."""
    for expression in EXPRESSIONS:
        for name in NAME.findall(expression):
            if not name.startswith(("huuva_http_", "huuva_live_", "huuva_logins_")):
                pattern = rf"\b(max|absent)( by \([a-z, ]+\))? ?\(((rate|increase)\()?{name}\b"
                assert re.search(pattern, expression), expression


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert {"summary", "action"} <= set(rule["annotations"]), rule["alert"]
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_panels_do_not_overlap() -> None:
    covered: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert covered.setdefault((x, y), panel["title"]) == panel["title"]


def tool(name: str) -> str:
    """The program of that name; the test is skipped where there is none."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed here")
    return program


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    verify = tool("systemd-analyze")
    shutil.copytree(DEPLOY / "systemd", tmp_path, dirs_exist_ok=True)
    for unit in tmp_path.glob("*.service"):
        unit.write_text(unit.read_text().replace("/opt/huuva/.venv/bin/python", "/bin/true"))
    for part in ("web", "live", "worker", "beat"):  # some with a drop-in
        (tmp_path / f"huuva@{part}.service").write_text((tmp_path / "huuva@.service").read_text())
    units = [str(unit) for unit in tmp_path.iterdir() if unit.is_file() and unit.name != "huuva@.service"]

    result = subprocess.run([verify, "verify", "--man=no", *units], capture_output=True, text=True)

    complaints = [line for line in result.stderr.splitlines() if "huuva" in line]
    assert complaints == []


def test_a_backup_that_is_killed_is_noted_by_systemd() -> None:
    backup = (DEPLOY / "systemd" / "huuva-backup.service").read_text()
    assert "OnFailure=huuva-backup-failed.service\n" in backup
    assert "manage.py backup --prune\n" in backup
    assert "manage.py backup --failed\n" in (DEPLOY / "systemd" / "huuva-backup-failed.service").read_text()


def test_prometheus_understands_the_alerts() -> None:
    checked = subprocess.run(
        [tool("promtool"), "check", "rules", str(DEPLOY / "prometheus" / "alerts.yml")],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_alerts_of_backups_go_off_when_they_should() -> None:
    rules = Path(__file__).resolve().parent / "alerts.test.yml"
    tried = subprocess.run([tool("promtool"), "test", "rules", str(rules)], capture_output=True, text=True)
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    checked = subprocess.run(
        [tool("hadolint"), str(DEPLOY.parent / "Dockerfile")], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stdout) == (0, "")
