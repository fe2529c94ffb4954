"""A kitchen that runs in a home of its own, to be photographed."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))


@contextmanager
def running_stack() -> Iterator[Any]:
    from tests.home import make_home, remove_home

    home = make_home()
    # Settings are read when they are first imported.
    os.environ["HUUVA_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "huuva.settings"
    from huuva import settings
    from huuva.ops import embedded
    from tests.live_stack import LiveStack

    with ExitStack() as running:
        running.callback(remove_home, home)
        running.enter_context(embedded.services(home, **embedded.wanted(settings), durable=False))
        stack = LiveStack(home, settings.DATABASE_URL, settings.REDIS_URL)
        running.callback(stack.stop)
        stack.start()
        yield stack
