"""A panel: one set of rows shown as chart, table and CSV, so that the three can't disagree."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from analytics.dashboard import formatting


@dataclass(frozen=True)
class Column:
    """`key` is its name in the CSV. `values`: one a row, as `form`: count, decimal, share (0 to 1), seconds, text.

    `tone` is its colour in the chart (static/analytics/dashboard.js); without one it is in the table only. `line`:
    drawn as a line over the bars.
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
            return [str(value) or formatting.NO_VALUE for value in self.values]
        form = formatting.FORMS[self.form]
        return [form(value) for value in self.values]


@dataclass(frozen=True)
class Panel:
    """`chart`: bars, stacked, lines or across (horizontal bars); empty for a table only. `rows` are the rows' names for
    people, `keys` those in the CSV; `row_title` and `row_key` head these columns."""

    id: str
    title: str
    text: str
    row_key: str
    row_title: str
    keys: Sequence[str]
    rows: Sequence[str]
    columns: Sequence[Column]
    chart: str = ""
    # Shown instead where there is no data.
    empty: str = ""

    @property
    def shown(self) -> list[Column]:
        """The table's columns: those with a title."""
        return [column for column in self.columns if column.title]

    @property
    def table(self) -> list[tuple[str, list[str]]]:
        return list(
            zip(self.rows, map(list, zip(*(column.texts for column in self.shown), strict=True)), strict=True)
        )

    @property
    def drawn(self) -> dict[str, Any]:
        """The data of the chart; its texts are those of the table."""
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
        """Rows and column names; durations in seconds, shares from 0 to 1, decimal points."""
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
    """A single number. `before`: on the same weekdays before. `watch`: it should be checked."""

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
        """`more`, `less` or `same`, as far as the shown texts differ."""
        if self.before is None or self.value is None or not self.shown_before:
            return ""
        if self.shown == self.shown_before:
            return "same"
        return "more" if self.value > self.before else "less"


@dataclass(frozen=True)
class Facts:
    """Numbers without a common scale: tiles, or a list of checks."""

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
