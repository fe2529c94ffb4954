from types import SimpleNamespace
from typing import Any

from integrations.openapi import ApiKeyScheme
from integrations.scopes import SCOPES


def scheme() -> Any:
    return ApiKeyScheme("integrations.authentication.ApiKeyAuthentication")


def test_the_scheme_is_a_bearer_key_and_names_every_scope() -> None:
    definition = scheme().get_security_definition(None)

    assert (definition["type"], definition["scheme"]) == ("http", "bearer")
    assert all(f"`{scope}`" in definition["description"] for scope in SCOPES)


def test_an_operation_names_the_scope_that_it_needs() -> None:
    view = SimpleNamespace(action="create", required_scopes={"create": "orders:write"})
    plain = SimpleNamespace(required_scopes={"get": "analytics:read"})

    assert scheme().get_security_requirement(SimpleNamespace(view=view, method="POST")) == {
        "apiKey": ["orders:write"]
    }
    assert scheme().get_security_requirement(SimpleNamespace(view=plain, method="GET")) == {
        "apiKey": ["analytics:read"]
    }
