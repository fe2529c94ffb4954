"""Live reads its environment without Django, and gets what the settings have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from core.env import ConfigError, Env
from huuva.live.environment import Environment, Origins


def test_it_equals_the_settings() -> None:
    environment = Environment.read()

    assert environment.secret_key == settings.SECRET_KEY
    assert environment.redis_url == settings.REDIS_URL
    assert environment.web_port == settings.HUUVA_PORT
    assert environment.log_level == settings.LOG_LEVEL
    assert set(settings.CSRF_TRUSTED_ORIGINS) <= environment.origins


def test_a_short_secret_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="HUUVA_SECRET_KEY must have at least 50 characters"):
        Environment.read(Env(environ={"HUUVA_HOME": str(tmp_path), "HUUVA_SECRET_KEY": "short"}))


def test_live_does_not_load_django() -> None:
    code = "import sys, huuva.asgi; sys.exit(any(name.split('.')[0] == 'django' for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8001", True),
        ("http://kitchen-pc:8000", "kitchen-pc:8001", True),
        ("http://[::1]:8000", "[::1]:8001", True),
        ("http://kitchen-pc:8002", "kitchen-pc:8001", False),
        ("http://evil.example:8000", "kitchen-pc:8001", False),
        ("https://wall.example.com", "live.example.com", True),
        ("https://a.wall.example.com", "live.example.com", False),
        ("https://a.kitchens.example", "x", True),
        ("http://a.kitchens.example", "x", False),
        ("null", "x:8001", False),
        ("http://[", "x:8001", False),
        ("http://x:99999", "x:8001", False),
    ],
)
def test_pages_of_trusted_origins_may_listen(origin: str, host: str, allowed: bool) -> None:
    known = frozenset({"http://127.0.0.1:8000", "https://wall.example.com", "https://*.kitchens.example"})

    assert Origins(known, 8000).allow(origin, host) is allowed
