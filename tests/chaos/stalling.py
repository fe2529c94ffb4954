"""A session that holds a transaction id: the change feed may not pass it, whatever else is committed meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.context import FaultContext
from tests.chaos.ledger import now

NAME = "chaos-staller"
STALL_SECONDS = 55.0
BRIEF_SECONDS = 3.0
# After so long /readyz is degraded, and soon afterwards a line in the worker's log names the session.
DEGRADED_AFTER = 30.0
SOON_SECONDS = 20.0
LOOK_SECONDS = 0.5


@contextlib.contextmanager
def stalled(url: str) -> Iterator[int]:
    """Holds a transaction id until the end of the block, asleep inside its transaction; yields its process's number."""
    # Nothing of ours ends it: a person in psql has neither our settings nor our time limits.
    options = "-c idle_in_transaction_session_timeout=0 -c transaction_timeout=0"
    with psycopg.connect(url, application_name=NAME, options=options) as connection:
        connection.execute("SELECT pg_current_xact_id()")
        yield connection.info.backend_pid
        # Other faults, or the operator's choice, may have ended it.
        with contextlib.suppress(psycopg.OperationalError):
            connection.rollback()


def readiness(port: int) -> Any:
    """What /readyz says now; None where it doesn't answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def is_degraded_by_feed(readiness: Any) -> bool:
    if not isinstance(readiness, dict) or readiness.get("status") != "degraded":
        return False
    return bool(readiness["checks"].get("feed", {}).get("status") == "failed")


def is_named(log: Path, pid: int) -> bool:
    """Whether a line of the log tells of the session by its number, and by the name of its application."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return any(re.search(rf"\b{pid}\b", line) and NAME in line for line in lines)


def stall_feed(context: FaultContext) -> None:
    log = context.stack.services["worker"].log
    began = now()
    seen: dict[str, float] = {}
    with stalled(context.stack.database_url()) as pid:
        looks = {
            "/readyz was degraded": lambda: is_degraded_by_feed(readiness(context.stack.port)),
            "a line in the worker's log named the session": lambda: is_named(log, pid),
        }
        while now() - began < (BRIEF_SECONDS if context.brief else STALL_SECONDS):
            seen |= {what: now() - began for what, is_so in looks.items() if what not in seen and is_so()}
            context.stop.wait(LOOK_SECONDS)
    for what in looks:
        when = f"after {seen[what]:.0f} s" if what in seen else "never"
        context.note(f"{what} {when}")
        soon = DEGRADED_AFTER + SOON_SECONDS
        if not context.brief and not DEGRADED_AFTER - 1 <= seen.get(what, 0.0) <= soon:
            context.ledger.complain(f"{what} {when}, expected after {DEGRADED_AFTER:.0f} to {soon:.0f} s")
