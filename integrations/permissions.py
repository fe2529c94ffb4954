"""What a key may call: each view names the scope of each of its actions."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from structlog import get_logger

from core.problems import Problem
from integrations.authentication import CHALLENGE
from integrations.key_cache import KeyGrant

if TYPE_CHECKING:
    # DRF's views import this module while they are themselves being imported.
    from rest_framework.views import APIView

log = get_logger(__name__)


class HasScope(BasePermission):
    """Allows keys with the scope that the view's `required_scopes` names for this action.

    `required_scopes` maps actions (of a viewset: `create`; of a plain view: `get`) to scopes. An action without one is
    refused: a forgotten scope must not open it. Raises Problem 401 `missing_key`, 403 `missing_scope`.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        grant = request.auth
        if not isinstance(grant, KeyGrant):
            raise Problem(
                "missing_key",
                "Send your API key with the request, as the header Authorization: Bearer huuva_…",
                status=401,
                headers={"WWW-Authenticate": CHALLENGE},
            )
        action = action_of(request, view)
        if action is None:
            return True
        scope = required_scope(view, action)
        if scope is None:
            log.error("view_without_scope", view=type(view).__name__, action=action)
            raise Problem("forbidden", "No key may call this.", status=403)
        if scope not in grant.scopes:
            raise Problem(
                "missing_scope",
                f"This call needs the scope {scope}, which the key {grant.name} does not have. "
                "Use a key with this scope, or ask the operator of this server for one.",
                status=403,
                headers={"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'},
                requiredScope=scope,
            )
        return True


def action_of(request: Request, view: "APIView") -> str | None:
    """What the request does with the view; None where nothing runs: OPTIONS, or a method that gets a 405."""
    method = (request.method or "").lower()
    if method == "options":
        return None
    if hasattr(view, "action"):
        action: str | None = view.action
        return action
    return method if hasattr(view, method) else None


def required_scope(view: "APIView", action: str) -> str | None:
    scopes: dict[str, str] = getattr(view, "required_scopes", {})
    return scopes.get(action)
