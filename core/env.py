"""Reads settings from the environment, strictly: a wrong value stops the start and names its variable."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent

TRUE_WORDS: Final = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS: Final = frozenset({"0", "false", "no", "off"})

# Set by `make run` for its own child processes; not settings, so not in the table of variables.
INTERNAL_VARIABLES: Final = frozenset({"HUUVA_RUN_TOKEN"})

# Inside Env the names str, int, bool and list are its methods, so its annotations use these.
Text = str
Number = int
Switch = bool
Texts = list[str]


class ConfigError(Exception):
    """A setting is missing or wrong. The message is one sentence that names the variable and the remedy."""

    exit_code = 2


@dataclass(frozen=True)
class Variable:
    """One setting, as the table in docs/configuration.md shows it."""

    name: str
    kind: str
    default: str
    description: str
    secret: bool


class Env:
    """The strict reader. Each read also declares the variable, so that a test can check that the docs are complete.

    An empty value counts as absent: compose files and CI systems pass unset variables as empty ones.
    Raises ConfigError.
    """

    def __init__(self, dotenv: Path | None = None, environ: Mapping[Text, Text] | None = None) -> None:
        self._environ: Mapping[Text, Text] = os.environ if environ is None else environ
        if dotenv is None and environ is None:
            dotenv = PROJECT_ROOT / ".env"
        # The environment wins over the file: what an operator sets for one call must take effect.
        self._dotenv = read_dotenv(dotenv) if dotenv is not None else {}
        self.variables: dict[Text, Variable] = {}

    def str(
        self,
        name: Text,
        default: Text | None = None,
        *,
        one_of: Sequence[Text] = (),
        secret: Switch = False,
        description: Text = "",
    ) -> Text:
        """Any text, or one of `one_of`. Without a default the variable must be set."""
        self._declare(name, "text", default, description, secret=secret)
        value = self._get(name)
        if value is None:
            return self._need(name, default)
        if one_of and value not in one_of:
            raise ConfigError(f"{name} must be {', '.join(one_of[:-1])} or {one_of[-1]}, not {value!r}.")
        return value

    def int(
        self,
        name: Text,
        default: Number | None = None,
        *,
        minimum: Number | None = None,
        maximum: Number | None = None,
        description: Text = "",
    ) -> Number:
        """A whole number, both bounds included."""
        self._declare(name, "whole number", default, description)
        value = self._get(name)
        if value is None:
            return self._need(name, default)
        try:
            number: Number | None = Number(value)
        except ValueError:
            number = None
        if (
            number is None
            or (minimum is not None and number < minimum)
            or (maximum is not None and number > maximum)
        ):
            raise ConfigError(f"{name} must be a whole number{_range(minimum, maximum)}, not {value!r}.")
        return number

    def bool(self, name: Text, default: Switch | None = None, *, description: Text = "") -> Switch:
        """A switch: 1, true, yes, on, or 0, false, no, off."""
        self._declare(name, "switch", default, description)
        value = self._get(name)
        if value is None:
            return self._need(name, default)
        word = value.lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise ConfigError(f"{name} must be true or false, not {value!r}.")
        return word in TRUE_WORDS

    def list(self, name: Text, default: Sequence[Text] | None = None, *, description: Text = "") -> Texts:
        """Texts separated by commas."""
        self._declare(name, "list", None if default is None else ",".join(default), description)
        value = self._get(name)
        if value is None:
            return [*self._need(name, default)]
        return [part.strip() for part in value.split(",") if part.strip()]

    def time_of_day(self, name: Text, default: Text, *, description: Text = "") -> time:
        """A time of the day as hh:mm."""
        self._declare(name, "time", default, description)
        value = self._get(name) or default
        try:
            return datetime.strptime(value, "%H:%M").time()  # noqa: DTZ007  (no date, so no time zone)
        except ValueError:
            raise ConfigError(f"{name} must be a time of the day such as 03:40, not {value!r}.") from None

    def url(
        self,
        name: Text,
        schemes: Sequence[Text],
        default: Text = "",
        *,
        secret: Switch = False,
        description: Text = "",
    ) -> Text:
        """A URL with one of the schemes, or the default where the variable is absent.

        The value is never repeated in an error: it may hold a password.
        """
        self._declare(name, "URL", default, description, secret=secret)
        value = self._get(name)
        if value is None:
            return default
        allowed = " or ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018  (reading it is what checks it)
        except ValueError:
            raise ConfigError(f"{name} must be a URL that starts with {allowed}; this is none.") from None
        if parts.scheme not in schemes or not value.lower().startswith(f"{parts.scheme}://"):
            raise ConfigError(f"{name} must start with {allowed}.")
        if not (parts.netloc or parts.path.strip("/") or parts.query):
            raise ConfigError(f"{name} must name a server after {allowed}.")
        return value

    @staticmethod
    def database(url: Text) -> dict[Text, Any]:
        """Django's connection settings for a PostgreSQL URL; the query's `host` may be a folder of a socket.

        The other query parameters (sslmode, ...) are handed to libpq.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        host, port = options.pop("host", ""), options.pop("port", "")
        settings: dict[Text, Any] = {
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host or unquote(parts.hostname or ""),
            "PORT": Text(parts.port or port),
        }
        if not settings["NAME"]:
            raise ConfigError("DATABASE_URL must end with the name of a database, such as /huuva.")
        return {**settings, "OPTIONS": options} if options else settings

    def unknown(self) -> Texts:
        """One sentence for each HUUVA_* variable that nothing reads, most likely a typing mistake."""
        names = {*self._environ, *self._dotenv}
        known = {*self.variables, *INTERNAL_VARIABLES}
        sentences = []
        for name in sorted(name for name in names if name.startswith("HUUVA_") and name not in known):
            close = difflib.get_close_matches(name, self.variables, n=1, cutoff=0.7)
            hint = f" Did you mean {close[0]}?" if close else " docs/configuration.md lists all variables."
            sentences.append(f"{name} is not a setting of Huuva and has no effect.{hint}")
        return sentences

    def _get(self, name: Text) -> Text | None:
        value = self._environ.get(name, "").strip() or self._dotenv.get(name, "").strip()
        return value or None

    def _need[T](self, name: Text, default: T | None) -> T:
        if default is None:
            raise ConfigError(f"{name} must be set: see docs/configuration.md.")
        return default

    def _declare(
        self, name: Text, kind: Text, default: object, description: Text, *, secret: Switch = False
    ) -> None:
        shown = "" if default is None else Text(default).lower() if kind == "switch" else Text(default)
        self.variables[name] = Variable(name, kind, shown, description, secret)


def set_default(
    name: str,
    value: str,
    *,
    dotenv: Path = PROJECT_ROOT / ".env",
    environ: MutableMapping[str, str] = os.environ,
) -> None:
    """Set the variable if neither the environment nor the file has a value, for a process with another default. An
    empty value counts as absent."""
    if not Env(dotenv, environ).str(name, ""):
        environ[name] = value


def read_dotenv(path: Path) -> dict[str, str]:
    """The NAME=value lines of a file; `export `, comments and quotes are allowed, nothing is expanded."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    values: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip().removeprefix("export ").lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise ConfigError(f"{path.name} line {number} must look like NAME=value.")
        values[name] = _unquote(value.strip())
    return values


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()


def _range(minimum: int | None, maximum: int | None) -> str:
    if minimum is not None and maximum is not None:
        return f" from {minimum} to {maximum}"
    if minimum is not None:
        return f" of at least {minimum}"
    if maximum is not None:
        return f" of at most {maximum}"
    return ""
