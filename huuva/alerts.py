"""What managers must know now: admin's front page shows it first. Apps add to it in their `ready()`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Alert:
    """One line, and where to do something about it."""

    text: str | Promise
    url: str


_sources: list[tuple[str, Callable[[], Iterable[Alert]]]] = []


def register_alerts(permission: str, source: Callable[[], Iterable[Alert]]) -> None:
    """`source` is asked each time the front page is shown to somebody with that permission: one cheap statement."""
    _sources.append((permission, source))


def alerts_for(user: Any) -> list[Alert]:
    return [alert for permission, source in _sources if user.has_perm(permission) for alert in source()]
