"""`Idempotency-Key`: a repeated request gets the first answer again instead of doing the work twice.

Views only mark their handlers. The store, which integrations sets when the application starts, decides what is stored
and for how long, so that the order views need not know about API keys.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, Protocol

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from core.problems import Problem

HEADER: Final = "Idempotency-Key"
MAX_LENGTH: Final = 255


class IdempotencyStore(Protocol):
    """Stores answers. `run` calls `work` at most once for a key and route; it may raise Problem 409 or 422."""

    def run(
        self, view: APIView, request: Request, key: str, work: Callable[[], HttpResponseBase]
    ) -> HttpResponseBase: ...


_stores: list[IdempotencyStore] = []


def use_store(store: IdempotencyStore) -> None:
    """For an app's `ready()`: where answers are stored."""
    _stores[:] = [store]


def idempotent[V: APIView, **P](
    handler: Callable[Concatenate[V, Request, P], HttpResponseBase],
) -> Callable[Concatenate[V, Request, P], HttpResponseBase]:
    """Mark a view's handler as repeatable by `Idempotency-Key`. Raises Problem 400 if the header is no key.

    The handler runs inside a transaction then, so its own `atomic` blocks must not be durable.
    """

    @wraps(handler)
    def handle(view: V, request: Request, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        key = request.META.get("HTTP_IDEMPOTENCY_KEY")
        if key is None:
            return handler(view, request, *args, **kwargs)
        _check(key)
        return _stores[0].run(view, request, key, lambda: handler(view, request, *args, **kwargs))

    return handle


def _check(key: Any) -> None:
    if 1 <= len(key) <= MAX_LENGTH and key.isascii() and key.isprintable():
        return
    detail = f"{HEADER} must be 1 to {MAX_LENGTH} printable ASCII characters; a UUID does well."
    raise Problem(
        "invalid_parameter",
        detail,
        status=400,
        errors=[{"pointer": HEADER, "code": "invalid_parameter", "detail": detail}],
    )
