"""A session that holds a transaction id: the change feed may not pass it, whatever else is committed meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

import psycopg

from tests.chaos.ledger import now
from tests.chaos.scene import Scene

NAME = "chaos-staller"
STALL_SECONDS = 45.0
BRIEF_SECONDS = 3.0
# After so long /readyz must name it; a few seconds more until somebody has looked.
NAMED_AFTER = 30.0
NAMED_WITHIN = 12.0
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


def names_session(readiness: Any, pid: int) -> bool:
    """Whether it is degraded, and a check that failed names the session by its number."""
    if not isinstance(readiness, dict) or readiness.get("status") != "degraded":
        return False
    failed = [check for check in readiness["checks"].values() if check["status"] != "ok"]
    return any(str(pid) in json.dumps(check) for check in failed)


def stall_feed(scene: Scene) -> None:
    began, named = now(), None
    with stalled(scene.stack.database_url()) as pid:
        while now() - began < (BRIEF_SECONDS if scene.brief else STALL_SECONDS):
            if named is None and names_session(readiness(scene.stack.port), pid):
                named = now() - began
            scene.stop.wait(LOOK_SECONDS)
    if named is not None:
        scene.note(f"/readyz named the session after {named:.0f} s")
    if not scene.brief and (named is None or not NAMED_AFTER - 1 <= named <= NAMED_AFTER + NAMED_WITHIN):
        when = "never" if named is None else f"after {named:.0f} s"
        scene.ledger.complain(
            f"/readyz named the session that stalls the feed {when}, expected after {NAMED_AFTER:.0f} s"
        )
