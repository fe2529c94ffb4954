"""New code and settings without a refused call: SIGHUP to web, as `systemctl reload` sends it."""

from __future__ import annotations

import signal

from tests.chaos.context import FaultContext

TIMES = 2
# One after the other, each imports everything first, which takes its time on busy processors.
WORKERS_SECONDS = 180.0
# The old workers finish what they have, the new ones take over.
BETWEEN_SECONDS = 1.0


def reload_web(context: FaultContext) -> None:
    web = context.stack.services["web"]
    for _ in range(1 if context.brief else TIMES):
        before = {process.pid for process in context.stack.web_workers()}
        web.send_signal(signal.SIGHUP)

        def replaced(before: set[int] = before) -> bool:
            workers = {process.pid for process in context.stack.web_workers()}
            return len(workers) == len(before) and not workers & before

        took = context.until(replaced, WORKERS_SECONDS)
        if took is None:
            context.ledger.complain(
                f"web's workers were not replaced within {WORKERS_SECONDS:.0f} s of SIGHUP"
            )
        else:
            context.note(f"workers replaced in {took:.1f} s")
        context.stop.wait(BETWEEN_SECONDS)
