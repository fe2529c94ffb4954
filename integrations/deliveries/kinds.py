"""What each kind of receiver brings along: how its deliveries become messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """A delivery that is to be sent now. `attempt` counts from 1; `at` is when the event happened; `kind` is the
    receiver's, `failures` how often it failed in a row until now."""

    id: int
    sink_id: str
    order_id: str
    sequence: int
    step: int
    event_type: str
    at: datetime
    attempt: int
    kind: str = ""
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """What to send. The body is sent as it is, byte by byte; headers left out get our defaults."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


class Renderer(Protocol):
    """One kind of receiver. `gone`: statuses of an answer that disable the receiver."""

    gone: frozenset[int]

    def render(self, deliveries: Sequence[PendingDelivery]) -> Mapping[int, Message | None]:
        """Messages by the delivery's id. None, or a missing one: there is nothing to send."""
        ...


_renderers: dict[str, Renderer] = {}


def register(kind: str, renderer: Renderer) -> None:
    _renderers[kind] = renderer


def renderer_of(kind: str) -> Renderer | None:
    """None for a kind that this release doesn't know: its deliveries wait."""
    return _renderers.get(kind)


def known_kinds() -> list[str]:
    return sorted(_renderers)
