#!/usr/bin/env python
"""Django's command line. `manage.py run` starts everything (`make run`)."""

import os
import sys

# Before any other import: what follows doesn't compile on older versions.
if sys.version_info < (3, 12):  # noqa: UP036
    sys.exit("Huuva needs Python 3.12, 3.13 or 3.14; this is {}.{}.".format(*sys.version_info))


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huuva.settings")
    running = sys.argv[1:2] == ["run"]
    try:
        return start(running)
    except KeyboardInterrupt:
        return 0 if running else 130


def start(running: bool) -> int:
    """Bad configuration and servers that don't start are one sentence and exit code 2, not a traceback."""
    from core.env import ConfigError
    from huuva.ops.embedded.places import ServiceError

    try:
        if running:
            from huuva.ops.start.run import run

            return run(sys.argv[2:])
        from huuva.ops.command_line import execute

        return execute(sys.argv)
    except (ConfigError, ServiceError) as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
