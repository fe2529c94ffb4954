"""Django's commands, with the embedded servers running."""

from __future__ import annotations

import sys
from typing import Final

from huuva.ops import embedded

# These use neither the database nor the cache or, like simulate, need them running already.
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
    """Runs a management command; embedded servers that aren't running are started before and stopped after it."""
    from django.conf import settings
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    from huuva.ops.embedded.places import ServiceError
    from huuva.settings import env

    servers = {"postgres": False, "valkey": False}
    if _needs_servers(argv):
        servers = embedded.wanted(settings)
    for sentence in env.unknown():
        sys.stderr.write(f"Warning: {sentence}\n")
    with embedded.services(settings.HUUVA_HOME, **servers):
        try:
            execute_from_command_line(argv)
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise ServiceError(f"The database does not answer ({reason}): check DATABASE_URL.") from None
    return 0


def _needs_servers(argv: list[str]) -> bool:
    arguments = {*argv[1:]}
    if not arguments or {"-h", "--help", "--version"} & arguments:
        return False
    # `check` uses the database only with --database.
    return argv[1] not in WITHOUT_SERVERS or (argv[1] == "check" and "--database" in arguments)
