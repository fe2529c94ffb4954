"""Reports as CSV (RFC 4180), for those who ask with `Accept: text/csv`."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

MEDIA_TYPE = "text/csv"
CONTENT_TYPE = f"{MEDIA_TYPE}; charset=utf-8; header=present"
# A text that begins so is a formula to a spreadsheet; account ids come from outside.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def dumps(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> bytes:
    """The rows under a line with the names of the columns. What would be a formula gets a ' before it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode().strip('"')
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
