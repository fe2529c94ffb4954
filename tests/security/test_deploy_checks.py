"""Production settings, as the compose file makes them: Django finds nothing to complain about, and cookies are ours alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "HUUVA_HTTPS": "true",
    "HUUVA_SECRET_KEY": "production-" + "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMN",
    "HUUVA_ALLOWED_HOSTS": "kitchen.example",
    "HUUVA_TRUSTED_ORIGINS": "https://kitchen.example",
    "HUUVA_LIVE_URL": "https://kitchen.example",
    "DATABASE_URL": "postgresql://huuva:secret@postgres:5432/huuva",
    "REDIS_URL": "redis://valkey:6379/0",
    "DJANGO_SETTINGS_MODULE": "huuva.settings",
}
# In a process of its own, because settings are read once.
TELL = """
import django, json
django.setup()
from django.conf import settings
from django.core.checks import run_checks
from django.core.signing import get_cookie_signer
print(json.dumps({
    "checks": [str(each) for each in run_checks(include_deployment_checks=True) if not each.is_silenced()],
    **{name: getattr(settings, name) for name in (
        "DEBUG", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
        "CSRF_COOKIE_SAMESITE", "SESSION_COOKIE_AGE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS",
        "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD", "SECURE_CONTENT_TYPE_NOSNIFF", "SECURE_REFERRER_POLICY", "X_FRAME_OPTIONS",
        "PASSWORD_HASHERS", "SESSION_ENGINE", "DATA_UPLOAD_MAX_NUMBER_FIELDS", "DATA_UPLOAD_MAX_MEMORY_SIZE",
    )},
}))
"""


def deployed_settings(home: Path, **environment: str) -> dict[str, object]:
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    run = subprocess.run(
        [sys.executable, "-c", TELL],
        cwd=ROOT,
        env={**inherited, "HUUVA_HOME": str(home), **PRODUCTION, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(run.stdout))


def test_production_settings_are_strict(tmp_path: Path) -> None:
    settings = deployed_settings(tmp_path)

    assert settings.pop("checks") == []
    assert settings["DEBUG"] is False
    for name in (
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SESSION_COOKIE_HTTPONLY",
        "SECURE_SSL_REDIRECT",
    ):
        assert settings[name] is True, name
    assert settings["SESSION_COOKIE_SAMESITE"] == settings["CSRF_COOKIE_SAMESITE"] == "Lax"
    assert settings["SECURE_HSTS_SECONDS"] == 365 * 24 * 3600
    assert settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is settings["SECURE_HSTS_PRELOAD"] is False
    assert settings["SECURE_CONTENT_TYPE_NOSNIFF"] is True
    assert settings["X_FRAME_OPTIONS"] == "DENY" and settings["SECURE_REFERRER_POLICY"] == "same-origin"
    assert settings["SESSION_ENGINE"] == "django.contrib.sessions.backends.db"
    assert settings["SESSION_COOKIE_AGE"] == 12 * 3600
    assert settings["DATA_UPLOAD_MAX_NUMBER_FIELDS"] == 1000
    assert "MD5" not in str(settings["PASSWORD_HASHERS"])


def test_what_hsts_promises_for_other_names_is_the_operators_choice(tmp_path: Path) -> None:
    settings = deployed_settings(tmp_path, HUUVA_HSTS_SUBDOMAINS="true")
    assert (settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"], settings["SECURE_HSTS_PRELOAD"]) == (True, False)

    settings = deployed_settings(tmp_path, HUUVA_HSTS_SUBDOMAINS="true", HUUVA_HSTS_PRELOAD="true")
    assert settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is settings["SECURE_HSTS_PRELOAD"] is True
    assert settings["checks"] == []


def test_preloading_without_subdomains_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as stopped:
        deployed_settings(tmp_path, HUUVA_HSTS_PRELOAD="true")
    assert "HUUVA_HSTS_PRELOAD needs HUUVA_HSTS_SUBDOMAINS" in stopped.value.stderr


def test_the_checks_would_complain_without_https(tmp_path: Path) -> None:
    """Else a clean answer would say nothing."""
    settings = deployed_settings(tmp_path, HUUVA_HTTPS="false")

    assert {"security.W004", "security.W008", "security.W010", "security.W016"} <= {
        text.partition("(")[2].partition(")")[0]
        for text in settings["checks"]  # type: ignore[attr-defined]
    }
