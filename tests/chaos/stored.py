"""What the checks read: orders as the database has them, and what a check found."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.model.kitchen_model import Row

MOST_COMPLAINTS_EACH = 10


@dataclass
class Check:
    """`counted` of what `title` names were looked at."""

    title: str
    counted: int = 0
    wrong: list[str] = field(default_factory=list)

    def expect(self, fine: bool, complaint: str) -> None:
        self.counted += 1
        if not fine and len(self.wrong) < MOST_COMPLAINTS_EACH:
            self.wrong.append(complaint)


@dataclass
class Stored:
    """What the database says of one order."""

    id: str
    status: int
    version: int
    items: dict[str, int] = field(default_factory=dict)
    quantities: dict[str, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    changes_by_reason: dict[str, set[int]] = field(default_factory=dict)
    display: str = ""
    note: str = ""
    # Version to reason.
    amendments: dict[int, str] = field(default_factory=dict)
