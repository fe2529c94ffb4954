"""Node for tests that run JavaScript of the docs: the machine's own, else the one that Playwright brings along."""

import json
import shutil
import subprocess
from typing import Any

from playwright._impl._driver import compute_driver_executable


def node() -> str:
    return shutil.which("node") or str(compute_driver_executable()[0])


def run_node(program: str, expression: str) -> Any:
    """The value of an expression behind a program; it must be one that JSON can hold."""
    whole = f"{program}\nconsole.log(JSON.stringify({expression}));"
    run = subprocess.run([node(), "-e", whole], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
