"""New code and settings without a refused call: SIGHUP to web, as `systemctl reload` sends it."""

from __future__ import annotations

import signal

from tests.chaos.scene import Scene

TIMES = 2
# One after the other, each imports everything first, which takes its time on busy processors.
WORKERS_SECONDS = 180.0
# The old workers finish what they have, the new ones take over.
BETWEEN_SECONDS = 1.0


def reload_web(scene: Scene) -> None:
    web = scene.stack.parts["web"]
    for _ in range(1 if scene.brief else TIMES):
        before = {process.pid for process in scene.stack.web_workers()}
        web.signal(signal.SIGHUP)

        def replaced(before: set[int] = before) -> bool:
            workers = {process.pid for process in scene.stack.web_workers()}
            return len(workers) == len(before) and not workers & before

        took = scene.until(replaced, WORKERS_SECONDS)
        if took is None:
            scene.ledger.complain(f"web's workers were not replaced within {WORKERS_SECONDS:.0f} s of SIGHUP")
        else:
            scene.note(f"workers replaced in {took:.1f} s")
        scene.stop.wait(BETWEEN_SECONDS)
