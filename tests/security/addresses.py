"""Every address of the resolver, and how each can be called: methods, and the actions of the admin's lists."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admindocs.views import simplify_regex
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

API_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, order=True, slots=True)
class Call:
    """`address` as the table writes it: `/api/orders/<id>`. An action of the admin follows it: `/admin/… do=revoke`."""

    address: str
    method: str

    @property
    def path(self) -> str:
        return self.address.partition(" ")[0]

    @property
    def action(self) -> str:
        return self.address.partition(" do=")[2]


# Addresses that do something else with a query.
MORE = (
    Call("/admin/orders/order/?q=Planted-Customer", "GET"),
    Call("/admin/orders/order/<id>/customer/?export", "GET"),
)


def all_calls() -> list[Call]:
    """Each address with each method that is worth asking, and each action."""
    calls = [Call(address, method) for address, view in addresses() for method in _methods(view)]
    return sorted({*calls, *_actions(), *MORE})


def addresses() -> Iterator[tuple[str, Any]]:
    """Each address with its view."""
    for route, pattern in _walk(get_resolver(), ""):
        yield _written(route), pattern.callback


def _walk(resolver: URLResolver, before: str) -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route, each
        else:
            yield from _walk(each, route)


def _written(route: str) -> str:
    address = simplify_regex(route).replace("\\", "")
    if route.endswith("/?$"):
        address = address.removesuffix("/")
    address = re.sub(r"<\w+:(\w+)>", r"<\1>", address)
    return address.replace("<object_id>", "<id>")


def _methods(view: Any) -> tuple[str, ...]:
    """GET and POST of all, because any view may forget to look at its method; of the API all."""
    actions = getattr(view, "actions", None)
    if actions is None and not hasattr(view, "cls"):
        return ("GET", "POST")
    allowed = {method.upper() for method in actions or view.cls.http_method_names}
    return tuple(method for method in API_METHODS if method in ("GET", "POST") or method in allowed)


def _actions() -> Iterator[Call]:
    """The actions that some manager may be offered, of each model's list."""
    request = RequestFactory().get("/")
    request.user = _Everything()  # type: ignore[assignment]
    for model, model_admin in admin.site._registry.items():
        listed = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for name in model_admin.get_actions(request):
            yield Call(f"{listed} do={name}", "POST")


class _Everything:
    """A user who may do all."""

    is_active = is_staff = is_superuser = is_authenticated = True
    pk = id = 0

    def has_perm(self, permission: str, obj: Any = None) -> bool:
        return True

    def has_perms(self, permissions: Any, obj: Any = None) -> bool:
        return True
