"""API keys and scopes in the OpenAPI document."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from integrations.permissions import required_scope
from integrations.scopes import SCOPES


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """The bearer scheme `apiKey`; each operation lists its scope (OpenAPI 3.1 allows that for http)."""

    target_class = "integrations.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scopes = "\n".join(f"- `{scope}`: {description}" for scope, description in SCOPES.items())
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "huuva_<prefix>_<secret>",
            "description": f"An API key: `Authorization: Bearer huuva_…`, with scopes:\n\n{scopes}",
        }

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        view = auto_schema.view
        action = getattr(view, "action", None) or auto_schema.method.lower()
        scope = required_scope(view, action)
        return {"apiKey": [scope] if scope else []}
