"""Servers for the tests: the embedded ones in a home of this run's own, or those of DATABASE_URL and REDIS_URL."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import django
import pytest

from tests.home import make_home, remove_home, remove_leftovers
from tests.live_stack import LiveStack

IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ

if not IS_XDIST_WORKER:
    if "huuva.settings" in sys.modules or os.environ.get("DJANGO_SETTINGS_MODULE"):
        raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests choose their own HUUVA_HOME first.")
    remove_leftovers()
    os.environ["HUUVA_HOME"] = str(make_home())
    os.environ["DJANGO_SETTINGS_MODULE"] = "huuva.settings"

# Before other conftest files, which may import models.
django.setup()

HOME = Path(os.environ["HUUVA_HOME"])
_running = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if IS_XDIST_WORKER:
        return
    from huuva import embedded, settings

    # Nothing here must survive a crash of the machine, so nothing waits for the disk.
    _running.enter_context(embedded.services(HOME, **embedded.wanted(settings), durable=False))


def pytest_unconfigure(config: pytest.Config) -> None:
    if IS_XDIST_WORKER:
        return
    _running.close()
    remove_home(HOME)


@pytest.fixture(scope="session")
def live_stack() -> Iterator[LiveStack]:
    """A running web part with a database of its own."""
    from huuva import settings

    stack = LiveStack(HOME, settings.DATABASE_URL, other_database(settings.REDIS_URL))
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def other_database(redis_url: str) -> str:
    """The same server's last but one database, or for parallel runs one more for each before it."""
    number = 14 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    parts = urlsplit(redis_url)
    query = parse_qs(parts.query)
    if parts.scheme == "unix":
        query["db"] = [str(number)]
        # Not by urlunsplit, which makes unix:/… of unix:///…
        return f"unix://{parts.path}?{urlencode(query, doseq=True)}"
    return urlunsplit(parts._replace(path=f"/{number}"))
