"""The live process: event streams to screens. Without Django, so that one process holds thousands of streams."""

from huuva.live.app import LiveApp
from huuva.live.environment import Environment
from huuva.logs import configure

_environment = Environment.read()
configure({"level": _environment.log_level})
application = LiveApp(_environment)
