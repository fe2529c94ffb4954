"""The table of who may call what: `permissions.txt`, one line for each address and method, one column for each caller.

A word says how a caller is answered: the status; `login`, sent to log in; `gone`, told that there is no such row; `302!`,
something was written. Written by people and read by them: the tests compare it with what the server does.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.security.addresses import Call

FILE = Path(__file__).with_name("permissions.txt")
# The order of the columns.
CALLERS = (
    "nobody",
    "screen",
    "screen2",
    "key0",
    "key2",
    "key",
    "manager",
    "manager2",
    "operations",
    "support",
    "superuser",
)

type Row = dict[str, str]


def read(text: str | None = None) -> dict[Call, Row]:
    """Raises ValueError where a line is no row of the table."""
    rows: dict[Call, Row] = {}
    for number, line in enumerate((FILE.read_text() if text is None else text).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split()
        action = cells.pop(1) if cells[1].startswith("do=") else ""
        address, method, *answers = cells
        call = Call(f"{address} {action}".rstrip(), method)
        if len(answers) != len(CALLERS):
            raise ValueError(f"{FILE.name}:{number}: {len(answers)} answers instead of {len(CALLERS)}")
        if call in rows:
            raise ValueError(f"{FILE.name}:{number}: {address} {method} stands here twice")
        rows[call] = dict(zip(CALLERS, answers, strict=True))
    return rows


def written(rows: Mapping[Call, Mapping[str, str]]) -> str:
    """The rows as the file has them."""
    width = max(len(call.address) for call in rows) + 1
    return "\n".join(line(call, row, width) for call, row in sorted(rows.items()))


def line(call: Call, row: Mapping[str, str], width: int = 0) -> str:
    cells: Iterable[str] = (row[caller].ljust(max(len(caller), 5)) for caller in CALLERS)
    return f"{call.address:<{width}} {call.method:<6} {' '.join(cells)}".rstrip()
