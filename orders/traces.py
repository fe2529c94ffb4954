"""What identifies a customer in a text that belongs to no order: a refused message, an answer, an audit entry.

Only what is unlikely to mean somebody else counts: a phone number, a name of two words or more, and long ids as a whole
value. “Ada”, the “7” of a quantity, or order 12 of another day could be anybody's.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

SHORTEST_ACCOUNT: Final = 4
SHORTEST_CHANNEL_ID: Final = 8
SHORTEST_PHONE: Final = 7
# A number is written with or without its country, spaces and zeros: its last digits are the same.
LAST_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Traces:
    """`phones`: the last digits of each number; `names` as they stand in the orders; `ids`: account and channel order
    ids."""

    phones: frozenset[str]
    names: frozenset[str]
    ids: frozenset[str]

    @classmethod
    def of(
        cls, account: str, names: Iterable[str], phones: Iterable[str], channel_ids: Iterable[str]
    ) -> "Traces":
        numbers = (digits_of(phone) for phone in phones)
        return cls(
            frozenset(number[-LAST_DIGITS:] for number in numbers if len(number) >= SHORTEST_PHONE),
            frozenset(plain for name in names if len((plain := _plain(name)).split()) > 1),
            frozenset(
                [
                    *([account] if len(account) >= SHORTEST_ACCOUNT else []),
                    *(id for id in channel_ids if len(id) >= SHORTEST_CHANNEL_ID),
                ]
            ),
        )

    def in_text(self, text: str) -> bool:
        """Anywhere in a text of any length."""
        return self._names_somebody(text) or any(id in text for id in self.ids)

    def in_value(self, value: str | int | float) -> bool:
        """In one value of a JSON document."""
        text = str(value)
        return text in self.ids or self._names_somebody(text)

    def in_payload(self, payload: str) -> bool:
        """In a request's body: in its values where it is JSON, else anywhere in it."""
        try:
            document = json.loads(payload)
        except (ValueError, RecursionError):
            return self.in_text(payload)
        return any(self.in_value(value) for value in values_of(document))

    def _names_somebody(self, text: str) -> bool:
        digits = digits_of(text)
        if any(phone in digits for phone in self.phones):
            return True
        plain = _plain(text)
        return any(name in plain for name in self.names)


def values_of(document: Any) -> Iterator[str | int | float]:
    """All texts and numbers of a JSON document."""
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield value


def digits_of(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
