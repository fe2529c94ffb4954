"""Names and phone numbers that only test data has, and the search for them in everything that the stack writes.

Customers' data and secrets belong into the database and into answers, and nowhere else: not into logs, metrics, or the list
of events. Factories and clients use these names; conftest.py searches captured stderr after each test, and the files
after the last one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import orjson

if TYPE_CHECKING:
    from tests.live_stack import LiveStack

NAME = "Ada Planted-7c1f"
PHONE = "+358407719355"
STREET = "Planted-7c1f street 1"
NOTE = "Planted-7c1f note"
PASSWORDS = ("sauna-ja-laulu-77", "sauna-laulu-77")

_PATTERNS = {
    "a customer's name, address or note": r"Planted-7c1f|Planted-Customer-7f3a|Ada Lovelace",
    "a customer's phone number": r"358407719355|358401234567|\+358400000\d{3}\b",
    "an API key": r"huuva_[a-z0-9]{1,16}_[A-Za-z0-9]{16,128}",
    "a secret of webhooks": r"whsec_[A-Za-z0-9+/=_-]{16,}",
    "a link that pairs a screen": r"/display/pair/[A-Za-z0-9_-]{40,}",
    "a token of an event stream": r"/live/streams\?token=[A-Za-z0-9_-]{8,}",
    "a password": "|".join(PASSWORDS),
}
_ANY = re.compile("|".join(f"(?P<p{number}>{each})" for number, each in enumerate(_PATTERNS.values())))
_NAMES = list(_PATTERNS)
MOST = 20


def found_in(text: str, where: str, first_line: int = 1) -> Iterator[str]:
    """A sentence for each line that holds what it must not: where, what, and the line."""
    if _ANY.search(text) is None:
        return
    for number, line in enumerate(text.splitlines(), first_line):
        match = _ANY.search(line)
        if match and match.lastgroup:
            yield f"{where}:{number}: {_NAMES[int(match.lastgroup[1:])]}: …{_around(line, match)}…"


def _around(line: str, match: re.Match[str]) -> str:
    return line[max(match.start() - 120, 0) : match.end() + 60]


def found_in_files(folders: Iterable[Path]) -> list[str]:
    """The same of all logs below these folders: what lies in a folder `log`, or is called `….log`."""
    hits: list[str] = []
    for path in sorted({path for folder in folders for path in _logs(folder)}):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                hits += found_in(line, str(path), number)
                if len(hits) > MOST:
                    return [*hits[:MOST], "… and more"]
    return hits


def _logs(folder: Path) -> Iterator[Path]:
    for place, folders, names in folder.walk():
        # The databases' own files hold everything, as they should.
        folders[:] = [name for name in folders if not (place / name / "PG_VERSION").exists()]
        for name in names:
            path = place / name
            if (place.name == "log" or name.endswith(".log")) and path.is_file():
                yield path


def found_in_answers(stack: LiveStack) -> list[str]:
    """The same in what a running stack shows to everybody, or to systems beside it: metrics, and the list of all events."""
    base, hits = stack.base_url, list[str]()
    for url in (f"{base}/metrics", *([f"http://127.0.0.1:{stack.port + 1}/metrics"] if stack.live else [])):
        hits += found_in(_read(url), url)
    events, cursor, more = f"{base}/api/orders/events?limit=200", "", True
    while more:
        page = _read(f"{events}&after={cursor}" if cursor else events, stack.key)
        hits += found_in(page.replace("},{", "},\n{"), events)
        answer = orjson.loads(page)
        cursor, more = answer["next"], answer["hasMore"]
    return hits[:MOST]


def _read(url: str, key: str = "") -> str:
    with urlopen(
        Request(url, headers={"Authorization": f"Bearer {key}"} if key else {}), timeout=10
    ) as answer:
        return str(answer.read().decode())


def complaint(hits: list[str]) -> str:
    return "Customers' data or secrets were written where they don't belong:\n" + "\n".join(hits)
