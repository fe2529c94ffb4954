"""The query of a report. Every parameter that can't be read is named at once."""

from collections.abc import Mapping
from datetime import datetime

from pydantic_core import PydanticCustomError

from analytics.reports import Scope
from core.bodies import invalid_parameters, parse_time, unknown_parameters
from core.problems import FieldError

MAX_TEXT = 128


class Parameters:
    """Reads parameters and collects what is wrong with them. Those that nobody has read by `check` are unknown."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query
        self._errors: list[FieldError] = []
        self._known: set[str] = set()

    def scope(self, kitchen: str | None, *, plu: bool = False) -> Scope:
        """The scope asked for by a key that is bound to `kitchen` (None: to none)."""
        since, until = self._time("from"), self._time("to")
        if since is not None and until is not None and since >= until:
            self._wrong("to", "The range ends before it begins; send a time after from.")
        asked = self._text("kitchen")
        return Scope(
            since,
            until,
            tuple(name for name in (asked, kitchen) if name is not None),
            self._text("brandId"),
            (self._text("plu") or "") if plu else "",
        )

    def limit(self, default: int, most: int) -> int:
        text = self._read("limit")
        if text is None:
            return default
        if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most:
            return int(text)
        self._wrong("limit", f"Send a whole number from 1 to {most}.")
        return default

    def check(self) -> None:
        """Raises Problem `invalid_parameter` (400) where anything was wrong or is not known."""
        errors = self._errors + unknown_parameters(self._query, self._known)
        if errors:
            raise invalid_parameters(errors)

    def _read(self, name: str) -> str | None:
        self._known.add(name)
        return self._query.get(name)

    def _wrong(self, name: str, detail: str) -> None:
        self._errors.append({"pointer": f"?{name}", "code": "invalid", "detail": detail})

    def _time(self, name: str) -> datetime | None:
        text = self._read(name)
        if not text:
            return None
        try:
            # A “+” of a zone that was not percent-encoded arrives as a space.
            return parse_time(text[:-6] + text[-6:].replace(" ", "+"))
        except PydanticCustomError as error:
            self._wrong(name, error.message())
            return None

    def _text(self, name: str) -> str | None:
        text = self._read(name)
        if not text:
            return None
        if len(text) > MAX_TEXT or "\x00" in text:
            self._wrong(name, f"Send a text of at most {MAX_TEXT} characters, without NUL.")
            return None
        return text
