"""Asks `/livez` all the time, as an orchestrator does that restarts what doesn't answer."""

from __future__ import annotations

import http.client

from tests.chaos.ledger import Ledger, now
from tests.chaos.watchers import Watcher

# Whoever answers later than this would be restarted sooner or later.
LIVE_SECONDS = 1.0
BRIEF_LIVE_SECONDS = 4.0
TIMEOUT_SECONDS = 5.0
PAUSE_SECONDS = 0.1


class Liveness(Watcher):
    """Asks one part, each time by a new connection. While `must_answer` is set, a late (`limit`) or missing answer is
    wrong.

    `slowest`: seconds of the slowest answer in each phase; a missing one counts as long as it was waited for.
    """

    def __init__(self, name: str, port: int, ledger: Ledger, limit: float = LIVE_SECONDS) -> None:
        super().__init__(ledger)
        self.must_answer = False
        self.slowest: dict[str, float] = {}
        self._name, self._port, self._limit = name, port, limit
        self._silent = False  # one complaint for each spell of silence

    def look(self) -> None:
        strict, phase, sent_at = self.must_answer, self.ledger.phase, now()
        wrong = self._ask()
        took = now() - sent_at
        self.slowest[phase] = max(took, self.slowest.get(phase, 0.0))
        if not wrong and took > self._limit:
            wrong = f"answers after {took:.1f} s"
        if wrong and strict and self.must_answer and not self._silent:
            self.ledger.complain(f"/livez of {self._name} {wrong}")
        self._silent = bool(wrong)
        self.stop.wait(PAUSE_SECONDS)

    def _ask(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", "/livez")
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return f"gives no answer ({error!r})"
        finally:
            connection.close()
        return "" if answer.status == 200 else f"answers {answer.status}"
