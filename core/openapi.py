"""The API's description: OpenAPI 3.1, generated from the views by drf-spectacular, and the pages that show it."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from pydantic import BaseModel, ConfigDict, Field

from core.http.views import read_only
from core.problems import CONTENT_TYPE, TYPE_BASE
from core.queries import Query


class WrongField(BaseModel):
    """One wrong field: a JSON pointer into the body, `?name` for a query parameter, or a header's name."""

    pointer: str
    code: str
    detail: str


class ProblemDocument(BaseModel):
    """An error (RFC 9457). `code` is stable; `detail` says what to change. Some codes add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str = Field(alias="requestId")
    errors: list[WrongField]


class HuuvaSchema(AutoSchema):
    """How drf-spectacular describes a view, without what only DRF's serializers need."""

    def get_filter_backends(self) -> list[Any]:
        return []

    def _get_request_body(self, direction: str = "request") -> Any:
        """A body described in plain JSON schema counts as optional, unless the view's `body_required` is true."""
        body = super()._get_request_body(direction)
        if body and getattr(self.view, "body_required", False):
            body["required"] = True
        return body

    def _is_list_view(self, serializer: Any = None) -> bool:
        # Each operation names the model of its answer: a list answers with a page, not with an array of pages.
        return False


def parameters(query: type[Query]) -> list[OpenApiParameter]:
    """The parameters that a model of core.queries reads."""
    described = []
    for name, schema in query.model_json_schema()["properties"].items():
        description = schema.pop("description", "")
        del schema["title"]
        if schema.get("default") is None:
            schema.pop("default", None)
        described.append(OpenApiParameter(name, schema, description=description))
    return described


def problems(
    always: Mapping[str, str] | None = None, /, **answers: str
) -> dict[tuple[int, str], OpenApiResponse]:
    """The problem answers of an operation, as `code_STATUS="description"`; several codes may share a status.

    `always`: the problems of every operation of this kind; those of calls with an API key by default.
    """
    by_status: dict[int, list[tuple[str, str]]] = {}
    for name, detail in {**(ALWAYS if always is None else always), **answers}.items():
        code, _, status = name.rpartition("_")
        PROBLEMS[code] = (int(status), detail)
        by_status.setdefault(int(status), []).append((code, detail))
    return {
        (status, CONTENT_TYPE): OpenApiResponse(
            ProblemDocument,
            description=" ".join(f"`{code}`: {detail}" for code, detail in described),
            examples=[_example(code, status, detail) for code, detail in described],
        )
        for status, described in sorted(by_status.items())
    }


# Every problem code with its status and description. `problems` adds those of each view.
PROBLEMS: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The request is malformed."),
    "forbidden": (403, "This is not allowed."),
    "not_found": (404, "There is nothing under this address."),
    "method_not_allowed": (405, "The address exists, but not with this method; see Allow."),
    "conflict": (409, "Something that the request refers to was deleted a moment ago; read it again."),
    "internal_error": (500, "Something broke on our side; nothing was stored. Tell us the requestId."),
    "not_ready": (503, "The server can't take requests now; `checks` say what is missing."),
    # Those of live, which has no views.
    "token_missing": (403, "A screen's stream needs the token of the page that opens it."),
    "token_invalid": (403, "The token of a screen's stream was not made here; load the page again."),
    "token_expired": (403, "The token of a screen's stream is too old; load the page again."),
    "too_many_logins": (429, "Too many wrong passwords were tried for this name or from this network; wait."),
    "logins_busy": (503, "Too many people log in right now; try again in a moment."),
    "token_revoked": (
        403,
        "The browser is no longer the screen whose stream it asks for; load the page again.",
    ),
    "origin_not_allowed": (403, "Pages of this origin may not listen; see HUUVA_TRUSTED_ORIGINS."),
    "body_too_slow": (408, "The body came too slowly; send it again, within 10 s."),
    "too_busy": (503, "Nothing was done: no thread was free in time; send it again."),
    "too_many_streams": (503, "All streams are taken; the screen goes on by asking."),
}
ALWAYS = {
    "unknown_host_400": "The host name is not this server's; see HUUVA_ALLOWED_HOSTS.",
    "missing_key_401": "Send an API key.",
    "invalid_key_401": "The key is unknown, revoked or expired.",
    "missing_scope_403": "The key lacks the scope that this call needs.",
    "rate_limited_429": "Too many calls; go on after Retry-After.",
    "database_unavailable_503": "Send it again after Retry-After, with the same id or Idempotency-Key.",
    "busy_503": "Somebody else has held the order, or the database, for too long; send it again after Retry-After.",
}


def _example(code: str, status: int, detail: str) -> OpenApiExample:
    value = {
        "type": f"{TYPE_BASE}{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": "/api/orders",
        "code": code,
        "requestId": "3f6c2b0e9d8a4d6f8b1c0a5e7d9f2b41",
        "errors": [],
    }
    return OpenApiExample(
        code, value=value, media_type=CONTENT_TYPE, response_only=True, status_codes=[str(status)]
    )


def one_path_each(endpoints: list[Any]) -> list[Any]:
    """Preprocessing hook: each path without its optional trailing slash."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]


def finish(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Postprocessing hook: headers of each answer, required bodies, no titles that repeat a field's name."""
    for path in result["paths"].values():
        for method, operation in path.items():
            if method == "patch":
                # No single field is required, but one of them is, and so a body.
                operation["requestBody"]["required"] = True
            for status, response in operation["responses"].items():
                headers = response.setdefault("headers", {})
                for name, (statuses, description) in _HEADERS.items():
                    if statuses is None or status in statuses:
                        headers[name] = {"description": description, "schema": {"type": "string"}}
    _drop_titles(result["components"]["schemas"])
    result["paths"]["/api/health"] = {"get": _HEALTH}
    return result


# Headers and the statuses of the answers that have them; None: all.
_HEADERS: dict[str, tuple[set[str] | None, str]] = {
    "X-Request-Id": (None, "The request's id: yours if you sent one, else ours."),
    "ETag": (
        {"304", "412"},
        "The tag of what is there now, for If-None-Match and, of an order, for If-Match.",
    ),
    "WWW-Authenticate": ({"401", "403"}, "How to send a key, and what is wrong with this one."),
    "Retry-After": ({"429", "503"}, "Seconds after which it is worth trying again."),
    "RateLimit": (
        {"200", "201", "429"},
        "Calls left, and seconds until one comes back (draft-ietf-httpapi-ratelimit).",
    ),
    "RateLimit-Policy": ({"200", "201", "429"}, "How many calls the key has in how many seconds."),
}


# A plain view, which answers even if the rest can't, so it is described by hand.
_HEALTH = {
    "operationId": "health",
    "summary": "Whether the API answers",
    "tags": ["health"],
    "security": [],
    "responses": {
        "200": {
            "description": "It does. Needs no key.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"status": {"type": "string", "const": "ok"}},
                        "required": ["status"],
                    },
                    "example": {"status": "ok"},
                }
            },
        }
    },
}


def _drop_titles(node: Any) -> None:
    if isinstance(node, dict):
        for schema in node.get("properties", {}).values():
            schema.pop("title", None)
        if isinstance(node.get("title"), str):  # else it is a property of that name
            del node["title"]
        for part in node.values():
            _drop_titles(part)
    elif isinstance(node, list):
        for part in node:
            _drop_titles(part)


@cache
def _description() -> tuple[bytes, str]:
    """The document and its entity tag. It depends on the code only, so each process builds it once."""
    body = orjson.dumps(SchemaGenerator().get_schema(request=None, public=True))
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


@read_only
def openapi_json(request: HttpRequest) -> HttpResponse:
    body, tag = _description()
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in re.findall(r'"[^"]*"', request.headers.get("If-None-Match", "")):
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(body, content_type="application/json", headers=headers)


@read_only
def swagger(request: HttpRequest) -> HttpResponse:
    return render(request, "core/swagger.html")


@read_only
def problem_list(request: HttpRequest) -> HttpResponse:
    """Every problem code with its meaning; the `type` of a problem document links here."""
    listed = sorted((status, code, detail) for code, (status, detail) in PROBLEMS.items())
    return render(request, "core/problems.html", {"problems": listed})


_POLICY: dict[str, Any] = dict(settings.SECURE_CSP)


# ReDoc writes its styles into the page, which shows only text of our own.
@csp_override({**_POLICY, "style-src": [CSP.SELF, CSP.UNSAFE_INLINE], "worker-src": [CSP.SELF, "blob:"]})
@read_only
def redoc(request: HttpRequest) -> HttpResponse:
    return render(request, "core/redoc.html")
