"""What all API views share: headers of every answer, the caller, and entity tags."""

import re
from typing import Any, Protocol, cast

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

from core.problems import Problem


def is_api(request: HttpRequest) -> bool:
    """Whether this is a call of the API: no session, no language, and errors are problem documents."""
    return request.path_info.startswith("/api")


class ApiView:
    """Mixin for DRF views: the answer has the headers of the key's rate limit, and no shared cache may store it."""

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        limit = getattr(request, "rate_limit", None)
        if limit is not None:
            for name, value in limit.headers().items():
                response[name] = value
        if "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ("Authorization",))
        return response


class Caller(Protocol):
    """Who calls: what an authentication class puts on the request as `user` and `auth`."""

    @property
    def actor(self) -> str: ...


class Grant(Protocol):
    """What the caller may see: one kitchen or all (None), and whether customers' names, phone numbers and addresses."""

    @property
    def kitchen(self) -> str | None: ...

    @property
    def sees_customers(self) -> bool: ...


def actor_of(request: Request) -> str:
    """The caller's name in histories, such as `key:wolt`."""
    return cast(Caller, request.user).actor


def grant_of(request: Request) -> Grant:
    return cast(Grant, request.auth)


def kitchen_of(request: Request) -> str | None:
    """The only kitchen that the caller may see; None: all."""
    return grant_of(request).kitchen


def etag(version: int) -> str:
    """The strong entity tag of an order at a version (RFC 9110 §8.8.3)."""
    return f'"{version}"'


_ETAG = re.compile(r'(?:W/)?"[^"]*"')
_OUR_TAGS = re.compile(r'(?<!W/)"([1-9][0-9]{0,9})"', re.ASCII)


def expected_versions(request: Request) -> frozenset[int] | None:
    """The versions that `If-Match` accepts; None: any. Raises Problem `stale_version` (412) where no tag can be one of
    ours: weak ones never match (RFC 9110 §13.1.1 compares strongly)."""
    header = request.META.get("HTTP_IF_MATCH")
    if header is None or header.strip() == "*":
        return None
    versions = frozenset(int(tag) for tag in _OUR_TAGS.findall(header))
    if not versions:
        raise Problem(
            "stale_version",
            'If-Match names no version of this order; send the ETag of your last read, such as "3".',
            status=412,
        )
    return versions


def not_modified(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` names the current tag, by weak comparison (RFC 9110 §13.1.2)."""
    header = request.META.get("HTTP_IF_NONE_MATCH", "")
    return header.strip() == "*" or tag in (sent.removeprefix("W/") for sent in _ETAG.findall(header))
