"""The live process: event streams to screens. Without Django, so that one process holds thousands of streams."""

from core.logs import configure
from huuva.live.app import LiveApp
from huuva.live.environment import Environment

_environment = Environment.read()
configure({"level": _environment.log_level})
application = LiveApp(_environment)
