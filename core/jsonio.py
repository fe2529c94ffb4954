"""JSON in and out: strict on the way in (RFC 8259, I-JSON of RFC 7493), fast on the way out."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from core.problems import Problem

MEDIA_TYPE = "application/json"
# Deeper than any order; far below the depth at which Python's own parser gives up.
MAX_DEPTH = 32


def dumps(data: Any) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)


def invalid_json(detail: str) -> Problem:
    return Problem("invalid_json", detail, status=400)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise invalid_json(
                    f"The name {json.dumps(name)[:80]} stands twice in one object; send it once."
                )
            seen.add(name)
    return members


def _no_constant(name: str) -> NoReturn:
    raise invalid_json(f"{name} is not JSON; send a number or leave the field out.")


def _int(digits: str) -> int | float:
    # Python refuses to parse very long integers. Such a number is wrong in every field, so it need not be exact.
    return int(digits) if len(digits) < 400 else float("inf")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_int)


def loads(raw: bytes) -> Any:
    """The value of a request body. Raises Problem `invalid_json` (400) that says what to change.

    Refused although many parsers accept them, because two readers may understand them differently: duplicate
    names, NaN and Infinity, NUL characters, lone surrogates, a byte order mark, nesting beyond MAX_DEPTH.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise invalid_json(
            f"The body is not UTF-8: byte {error.start} is invalid. Encode it as UTF-8."
        ) from None
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise invalid_json(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except ValueError as error:
        where = (
            f" at line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        raise invalid_json(f"The body is not JSON: it breaks{where}. Send one JSON object.") from None
    # Only an escape can hold a NUL or a lone surrogate, and only brackets can nest: most bodies skip the check.
    if "\\u" in text or text.count("{") + text.count("[") > MAX_DEPTH:
        _check(value, MAX_DEPTH)
    return value


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise invalid_json("A text holds the character NUL (\\u0000); remove it.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise invalid_json(
                "A text holds half of a surrogate pair (\\ud800–\\udfff); send both halves."
            ) from None
    elif isinstance(value, Mapping | list):
        if depth == 0:
            raise invalid_json(f"The body is nested deeper than {MAX_DEPTH} levels.")
        for part in value:
            _check(part, depth - 1)
        if isinstance(value, Mapping):
            for part in value.values():
                _check(part, depth - 1)


class StrictJsonParser(BaseParser):
    media_type = MEDIA_TYPE

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read()
        if not raw:
            return {}  # As for a request of length 0: some calls need no body.
        value = loads(raw)
        if not isinstance(value, dict):
            raise invalid_json("The body must be one JSON object, {…}.")
        return value


class JsonRenderer(BaseRenderer):
    media_type = MEDIA_TYPE
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else dumps(data)


class JsonNegotiation(BaseContentNegotiation):
    """All answers are JSON, so no `Accept` header makes a call fail (RFC 9110 §12.5.1 allows that)."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        # PATCH bodies are often labelled as merge patches, which is what they are (RFC 7396).
        return (
            next(iter(parsers))
            if media_type in ("application/json", "application/merge-patch+json")
            else None
        )

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
