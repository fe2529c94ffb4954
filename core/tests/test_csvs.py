from datetime import UTC, datetime

import pytest

from core.csvs import cell, dumps


@pytest.mark.parametrize("text", ["=1+1", "+1-2", "-A1", "@SUM(A1)", "\t=1", "\r=1", "="])
def test_a_text_that_would_be_a_formula_is_quoted(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "burger", "a=b", "+358 40 123", -1.5, None])
def test_other_values_stay_as_they_are(value: object) -> None:
    assert cell(value) == value


def test_rows_stand_under_the_names_of_their_columns() -> None:
    rows = [{"at": datetime(2026, 5, 1, 18, 30, tzinfo=UTC), "count": 2, "unused": 0}]

    assert dumps(rows, ["count", "at"]) == b"count,at\r\n2,2026-05-01T18:30:00Z\r\n"
