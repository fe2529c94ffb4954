"""What was read lately, kept for as long as the rollups stay where they are in the change feed: what they say follows
from that alone."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Cache[A]:
    """The latest answers by question, thread-safe and bounded."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[str, A]] = OrderedDict()

    def get(self, question: Hashable, place: str, make: Callable[[], A]) -> A:
        """The answer when the rollups are at `place`, made where it isn't kept."""
        kept = self._answers.get(question)
        if kept is not None and kept[0] == place:
            return kept[1]
        answer = make()
        with self._lock:
            self._answers[question] = place, answer
            self._answers.move_to_end(question)
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)
        return answer

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()
