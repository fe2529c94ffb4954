"""What a kind of sink brings along: how its deliveries are put into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """A delivery that is to be sent now. `attempt` counts from 1; `at` is when the event happened."""

    id: int
    sink_id: str
    order_id: str
    sequence: int
    step: int
    event_type: str
    at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class Message:
    """What to send. The body is sent byte by byte as it stands; what `headers` leave out gets our usual ones."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


class Renderer(Protocol):
    """One kind of sink. `gone`: statuses of an answer by which the receiver says that it wants no more."""

    gone: frozenset[int]

    def render(self, due: Sequence[PendingDelivery]) -> Mapping[int, Message | None]:
        """By the delivery's id; None: nothing to tell. One that is missing is skipped too."""
        ...


_renderers: dict[str, Renderer] = {}


def register(kind: str, renderer: Renderer) -> None:
    _renderers[kind] = renderer


def renderer_of(kind: str) -> Renderer | None:
    """None for a kind that this release doesn't know: its deliveries wait."""
    return _renderers.get(kind)


def known_kinds() -> list[str]:
    return sorted(_renderers)
