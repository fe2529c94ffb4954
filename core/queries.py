"""Query parameters: pydantic models that name every wrong parameter at once.

`core.openapi.parameters` describes them from the same models.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self, get_origin

from django.http import QueryDict
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, ValidationError, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from core.bodies import parse_time
from core.problems import FieldError, Problem

MAX_TEXT = 128
# How many unknown parameters an answer names, and how many characters of each.
MAX_UNKNOWN, MAX_NAME = 20, 100


class Query(BaseModel):
    """The query parameters of a call, in camelCase. Unknown ones are refused: if ignored, a mistyped filter would let
    everything through.

    Of a parameter sent several times the last value counts, unless the field is a list. Fields are read by validators
    that raise PydanticCustomError with a sentence for the client.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    @classmethod
    def read(cls, sent: QueryDict, **context: Any) -> Self:
        """The checked parameters; `context` goes to the validators. Raises Problem `invalid_parameter` (400) that names
        every wrong parameter, and every unknown one."""
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        unknown = _unknown(sent, fields)
        values = {
            name: sent.getlist(name) if get_origin(field.annotation) is list else sent[name]
            for name, field in fields.items()
            if name in sent
        }
        try:
            query = cls.model_validate(values, context=context)
        except ValidationError as error:
            wrong: list[FieldError] = [
                {"pointer": f"?{one['loc'][0]}", "code": "invalid", "detail": one["msg"]}
                for one in error.errors(include_url=False)
            ]
            raise invalid_parameters(wrong + unknown) from None
        if unknown:
            raise invalid_parameters(unknown)
        return query


def invalid_parameters(errors: list[FieldError]) -> Problem:
    return Problem("invalid_parameter", "The query can't be read; see errors.", status=400, errors=errors)


def _unknown(sent: Iterable[str], known: Iterable[str]) -> list[FieldError]:
    allowed = sorted(known)
    remedy = f"these are known: {', '.join(allowed)}" if allowed else "this call takes none"
    return [
        {
            "pointer": f"?{name[:MAX_NAME]}",
            "code": "unknown",
            "detail": f"There is no such parameter here; {remedy}.",
        }
        for name in [name for name in sent if name not in allowed][:MAX_UNKNOWN]
    ]


def _time(text: str) -> datetime | None:
    # A “+” of a zone that was not percent-encoded arrives as a space.
    return parse_time(text[:-6] + text[-6:].replace(" ", "+")) if text else None


def _text(text: str) -> str | None:
    if len(text) > MAX_TEXT or "\x00" in text:
        raise PydanticCustomError("text", f"Send a text of at most {MAX_TEXT} characters, without NUL.")
    return text or None


def up_to(most: int) -> BeforeValidator:
    """Reads a whole number from 1 to `most`; stands behind `Field(ge=1, le=most)`, which describes it."""

    def read(text: str) -> int:
        plain = text.isascii() and text.isdigit() and len(text) <= len(str(most)) + 1
        if not plain or not 1 <= int(text) <= most:
            raise PydanticCustomError("limit", f"Send a whole number from 1 to {most}.")
        return int(text)

    return BeforeValidator(read)


# An empty value counts as not sent.
TEXT_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "pattern": r"^[^\x00]+$"}
TIME_SCHEMA = {"type": "string", "format": "date-time", "pattern": r"^20\d\d-"}
Text = Annotated[str | None, PlainValidator(_text), WithJsonSchema(TEXT_SCHEMA)]
Time = Annotated[datetime | None, PlainValidator(_time), WithJsonSchema(TIME_SCHEMA)]
