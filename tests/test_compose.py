"""docker-compose.yml and what it refers to: held against a schema, because nothing here can run it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from huuva.parts import commands

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "live", "worker", "beat")

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
        "image": {"type": "string", "pattern": r"^[a-z0-9./-]+(:[0-9a-z.-]+)?$"},
        "build": {"const": "."},
        "command": TEXTS,
        "user": {"type": "string", "pattern": r"^[1-9][0-9]*:[1-9][0-9]*$"},
        "restart": {"enum": ["no", "unless-stopped"]},
        "read_only": {"const": True},
        "cap_drop": {"const": ["ALL"]},
        "cap_add": {"const": ["NET_BIND_SERVICE"]},
        "security_opt": {"const": ["no-new-privileges:true"]},
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "volumes": TEXTS,
        "tmpfs": TEXTS,
        "ports": TEXTS,
        "shm_size": SIZE,
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
        assert SERVICES[name]["command"] == ["python", "-m", "huuva.parts", name]


def test_volumes_and_images_are_the_expected_ones() -> None:
    named = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert named == set(COMPOSE["volumes"])
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert (ROOT / "deploy/Caddyfile").exists()


def test_variables_are_known_to_the_settings() -> None:
    from huuva.settings import env

    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= set(env.variables)
    in_image = set(re.findall(r"\b(HUUVA_[A-Z_]+)=", (ROOT / "Dockerfile").read_text()))
    assert in_image <= set(env.variables)


def test_secrets_have_no_default_value() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("POSTGRES_PASSWORD", "HUUVA_SECRET_KEY"):
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
