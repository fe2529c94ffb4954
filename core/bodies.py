"""Request bodies: pydantic models that name every wrong field at once, and the problem that lists them.

pydantic checks in compiled code; a tree of DRF serializers for an order of three items took ten times as long.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from core.problems import FieldError, Problem

# RFC 3339 §5.6, as JSON Schema's "date-time". The range of years is ours: a time outside it is a mistake.
_TIME = re.compile(r"20\d\d-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_time(value: Any) -> datetime:
    """A time of RFC 3339 with its zone, from 2000 to 2099, in UTC. Raises PydanticCustomError."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise PydanticCustomError(
            "time",
            "Send a time with its zone as RFC 3339 says, from 2000 to 2099, such as 2026-05-01T18:30:00Z.",
        )
    try:
        # Digits beyond microseconds are cut; fromisoformat reads any number of them.
        time = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except ValueError:
        raise PydanticCustomError(
            "time", "There is no such date or time; look at the day, hour and zone."
        ) from None
    if not 2000 <= time.year < 2100:
        raise PydanticCustomError("time", "The time must lie between the years 2000 and 2099 in UTC.")
    return time


Time = Annotated[
    datetime,
    BeforeValidator(parse_time),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "pattern": r"^20\d\d-", "example": "2026-05-01T18:30:00Z"}
    ),
]


def _whole_number(value: Any) -> Any:
    """1 for 1.0, which JSON Schema counts among the integers. Raises PydanticCustomError for a fraction."""
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    if not value.is_integer():
        raise PydanticCustomError("type", "Send a whole number, without a fraction.")
    return int(value)


# Goes with an int and its limits: Annotated[int, Field(ge=1), WHOLE_NUMBER].
WHOLE_NUMBER = BeforeValidator(_whole_number)


# The error's text for each pattern.
_PATTERNS: dict[str, str] = {}


def text_like(pattern: str, detail: str, *, longest: int) -> StringConstraints:
    """A text of 1 to `longest` characters that matches `pattern`; `detail` is the error's text if it doesn't."""
    _PATTERNS[pattern] = detail
    return StringConstraints(min_length=1, max_length=longest, pattern=pattern)


class Body(BaseModel):
    """A request body, or a part of one: camelCase or snake_case, strict types, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, strict=True, extra="ignore", frozen=True
    )
    # All names of each field that has several; set below.
    spellings: ClassVar[list[tuple[str, ...]]] = []

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls.spellings = []
        for name, field in cls.model_fields.items():
            names = {name, field.alias or name}
            if isinstance(field.validation_alias, AliasChoices):
                names |= {choice for choice in field.validation_alias.choices if isinstance(choice, str)}
            if len(names) > 1:
                cls.spellings.append(tuple(sorted(names)))

    @model_validator(mode="before")
    @classmethod
    def _one_spelling(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for names in cls.spellings:
                sent = [name for name in names if name in data]
                # Some channels send the same id under both names; two different values are a mistake.
                if len(sent) > 1 and (names != ("_id", "id") or data["_id"] != data["id"]):
                    raise PydanticCustomError(
                        "sent_twice",
                        "This field is sent as {names}; send it once.",
                        {"names": " and ".join(sent), "at": [sent[-1]]},
                    )
        return data

    @classmethod
    def read(cls, data: Any) -> Self:
        """The checked body. Raises Problem `invalid_body` (400) that names every wrong field."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            errors = [_field_error(one) for one in error.errors(include_url=False, include_context=True)]
        raise invalid_body(errors)


def invalid_body(errors: list[FieldError], *, outcome: str = "Nothing was stored.") -> Problem:
    """`outcome`: what happened to the body."""
    count = "One field is" if len(errors) == 1 else f"{len(errors)} fields are"
    return Problem("invalid_body", f"{count} wrong; see errors. {outcome}", status=400, errors=errors)


# pydantic's errors: our code for each, and the text.
_DETAILS = {
    "missing": ("required", "This field is missing; send it."),
    "string_type": ("type", "Send a text."),
    "int_type": ("type", "Send a whole number, without quotes."),
    "int_from_float": ("type", "Send a whole number, without a fraction."),
    "bool_type": ("type", "Send true or false."),
    "list_type": ("type", "Send a list, […]."),
    "model_type": ("type", "Send an object, {{…}}."),
    "dict_type": ("type", "Send an object, {{…}}."),
    "string_too_short": ("too_short", "Send at least {min_length} character(s)."),
    "string_too_long": ("too_long", "Send at most {max_length} characters."),
    "too_short": ("too_short", "Send at least {min_length}; these are {actual_length}."),
    "too_long": ("too_long", "Send at most {max_length}; these are more."),
    "greater_than_equal": ("too_small", "Send a number from {ge} on."),
    "less_than_equal": ("too_large", "Send a number up to {le}."),
    "finite_number": ("type", "Send a whole number."),
    "recursion_loop": ("nesting", "This is nested too deeply."),
}


def _field_error(error: ErrorDetails) -> FieldError:
    kind: str = error["type"]
    context: Mapping[str, Any] = error.get("ctx", {})
    place = pointer(*error["loc"], *context.get("at", ()))
    if kind == "string_pattern_mismatch":
        return {"pointer": place, "code": "format", "detail": _PATTERNS[context["pattern"]]}
    if kind in _DETAILS:
        code, text = _DETAILS[kind]
        return {"pointer": place, "code": code, "detail": text.format(**context)}
    return {"pointer": place, "code": kind, "detail": error["msg"]}


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) to a place in the body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
