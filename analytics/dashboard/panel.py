"""A panel: one set of rows that is a chart, a table and a CSV at once, so that the three can't disagree."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from analytics.dashboard import formatting


@dataclass(frozen=True)
class Column:
    """`key` heads it in CSV. `values`: one for each row, as `form` says: count, decimal, share (0 to 1), seconds, text.

    `tone` is how the chart draws it (static/analytics/dashboard.js); without one it is in the table alone. `line`: as a
    line over the bars.
    """

    key: str
    title: str
    form: str
    values: Sequence[Any]
    tone: str = ""
    line: bool = False

    @cached_property
    def texts(self) -> list[str]:
        if self.form == "text":
            return [str(value) or formatting.NOTHING for value in self.values]
        form = formatting.FORMS[self.form]
        return [form(value) for value in self.values]


@dataclass(frozen=True)
class Panel:
    """`chart`: bars, stacked, lines or across (bars that lie); empty for a table alone. `rows` are names of rows as
    people read them, `keys` as CSV has them; `row_key` and `row_title` head these."""

    id: str
    title: str
    text: str
    row_key: str
    row_title: str
    keys: Sequence[str]
    rows: Sequence[str]
    columns: Sequence[Column]
    chart: str = ""
    # What is said instead where there is nothing to show.
    empty: str = ""

    @property
    def shown(self) -> list[Column]:
        """The columns of the table: those that have a title."""
        return [column for column in self.columns if column.title]

    @property
    def table(self) -> list[tuple[str, list[str]]]:
        return list(
            zip(self.rows, map(list, zip(*(column.texts for column in self.shown), strict=True)), strict=True)
        )

    @property
    def drawn(self) -> dict[str, Any]:
        """What the browser draws; the texts are those of the table."""
        return {
            "kind": self.chart,
            "rows": list(self.rows),
            "series": [
                {
                    "title": column.title,
                    "form": column.form,
                    "values": list(column.values),
                    "texts": column.texts,
                    "tone": column.tone,
                    "line": column.line,
                }
                for column in self.columns
                if column.tone
            ],
        }

    @property
    def data_id(self) -> str:
        return f"data-{self.id}"

    def csv(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Rows and the names of their columns; lengths are seconds, shares from 0 to 1, numbers with a point."""
        names = [self.row_key, *(column.key for column in self.columns)]
        values = zip(self.keys, *(column.values for column in self.columns), strict=True)
        return [
            {
                name: round(value, 4) if isinstance(value, float) else value
                for name, value in zip(names, row, strict=True)
            }
            for row in values
        ], names


@dataclass(frozen=True)
class Fact:
    """A number on its own. `before`: what it was on the same weekdays before. `watch`: somebody should look at it."""

    key: str
    title: str
    form: str
    value: Any
    before: Any = None
    text: str = ""
    watch: bool = False
    share: float | None = None

    @property
    def shown(self) -> str:
        return formatting.FORMS[self.form](self.value)

    @property
    def shown_before(self) -> str:
        return (
            ""
            if self.before is None
            else formatting.FORMS["decimal" if self._is_average else self.form](self.before)
        )

    @property
    def shown_share(self) -> str:
        return "" if self.share is None else formatting.share(self.share)

    @property
    def _is_average(self) -> bool:
        return (
            self.form == "count"
            and isinstance(self.before, float)
            and self.before < 10
            and self.before % 1 > 0
        )

    @property
    def trend(self) -> str:
        """`more`, `less` or `same`, as far as anybody would see it."""
        if self.before is None or self.value is None or not self.shown_before:
            return ""
        if self.shown == self.shown_before:
            return "same"
        return "more" if self.value > self.before else "less"


@dataclass(frozen=True)
class Facts:
    """Some numbers that have no common scale: tiles, or a list of what to look at."""

    id: str
    title: str
    text: str
    facts: Sequence[Fact]
    empty: str = ""

    def csv(self) -> tuple[list[dict[str, Any]], list[str]]:
        names = ["figure", "value", "share", "before"]
        return [
            {
                "figure": fact.key,
                "value": _plain(fact.value),
                "share": _plain(fact.share),
                "before": _plain(fact.before),
            }
            for fact in self.facts
        ], names


def _plain(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
