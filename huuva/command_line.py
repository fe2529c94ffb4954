"""Django's commands with the embedded servers beside them."""

from __future__ import annotations

import sys
from typing import Final

from huuva import embedded

# These touch neither the database nor the cache, or like simulate need them running already, so they start nothing.
WITHOUT_SERVERS: Final = frozenset(
    {
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "simulate",
        "spectacular",
        "startapp",
        "version",
    }
)


def execute(argv: list[str]) -> int:
    """Runs a management command; embedded servers that aren't running are started for it and stopped after it."""
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from huuva.settings import env

    wanted = {"postgres": False, "valkey": False}
    if len(argv) > 1 and argv[1] not in WITHOUT_SERVERS and not {"-h", "--help", "--version"} & {*argv[1:]}:
        wanted = embedded.wanted(settings)
    for sentence in env.unknown():
        sys.stderr.write(f"Warning: {sentence}\n")
    with embedded.services(settings.HUUVA_HOME, **wanted):
        execute_from_command_line(argv)
    return 0
