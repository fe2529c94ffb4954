"""CSV (RFC 4180) that is safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

MEDIA_TYPE: Final = "text/csv"
CONTENT_TYPE: Final = f"{MEDIA_TYPE}; charset=utf-8; header=present"
# A spreadsheet takes a text that begins with one of these for a formula, and much of the text comes from outside.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> Any:
    """A time in RFC 3339. A text that would be a formula gets a ' before it; a phone number stays as it is."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str) and value.startswith(_FORMULA) and not value[1:].replace(" ", "").isdigit():
        return f"'{value}"
    return value


def dumps(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """The rows under a heading of the columns' names."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(row[column]) for column in columns] for row in rows)
    return out.getvalue().encode()
