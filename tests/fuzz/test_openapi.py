"""Schemathesis reads our OpenAPI and tries to prove it wrong: all checks, all phases, links included."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# In CI few and always the same; `make fuzz` sets more, and then each run is another one.
EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
DRAWN = (
    ["--max-examples", EXAMPLES]
    if EXAMPLES
    else ["--max-examples", "20", "--seed", "2026", "--generation-deterministic"]
)


def test_the_api_is_what_its_openapi_says(live_stack: Any) -> None:
    key = live_stack.issue_key(
        scopes=[
            "orders:read",
            "orders:write",
            "orders:recall",
            "customers:read",
            "analytics:read",
            "events:read",
            "webhooks:manage",
        ],
        kitchen="main",
        rate_limit=0,
    )
    secret = "the secret of the fuzzed channels"
    link = ("create_channel_link", "Fuzz", "--secret", secret)
    live_stack.manage(*link, "--slug", "fuzz", "--external-id", "fuzz-link", "--location", "fuzz-place=main")
    live_stack.manage(
        *link,
        "--slug",
        "fuzz-shop",
        "--kind",
        "generic",
        "--mapping",
        str(HERE / "mapping.json"),
        "--location",
        "fuzz-place=main",
    )
    run = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml",
            "run", f"{live_stack.base_url}/api/openapi.json", "--url", live_stack.base_url,
            "--no-color", *DRAWN,
        ],
        cwd=HERE,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks.py", "HUUVA_FUZZ_KEY": key, "HUUVA_FUZZ_SECRET": secret},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f" {phase} (in" in run.stdout, f"{phase} did not run:\n{run.stdout}"
    links = re.search(r"API Links:\s+(\d+) covered", run.stdout)
    assert links, run.stdout
    assert int(links[1]) > 0, run.stdout
