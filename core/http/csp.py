"""The content security policies that differ from the site's: unfold needs more, and screens connect to the live
process. And the permissions policy."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csp import ContentSecurityPolicyMiddleware
from django.utils.csp import CSP

from core.live_address import live_origin

ADMIN = "/admin/"
WALLS = ("/display/", "/pickup/")

type Policy = dict[str, Any]


def for_admin(policy: Policy) -> Policy:
    """The policy with what unfold needs: Alpine evaluates expressions and binds `style` attributes."""
    return {
        **policy,
        "script-src": [*policy["script-src"], CSP.UNSAFE_EVAL],
        "style-src-attr": [CSP.UNSAFE_INLINE],
    }


class CspMiddleware(ContentSecurityPolicyMiddleware):
    """Django's middleware, with a wider policy below `/admin/` and on screens. No page may be framed."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path_info.startswith(WALLS):
            policy: Policy = dict(settings.SECURE_CSP)
            policy["connect-src"] = [*policy["connect-src"], live_origin(request)]
            response._csp_config = policy  # type: ignore[attr-defined]
        # A view that has set its own policy keeps it.
        if request.path_info.startswith(ADMIN) and not hasattr(response, "_csp_config"):
            response._csp_config = for_admin(settings.SECURE_CSP)  # type: ignore[attr-defined]
        # unfold allows frames of the same origin, which the policy forbids anyhow.
        response.headers["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        response.headers["Permissions-Policy"] = settings.HUUVA_PERMISSIONS_POLICY
        return super().process_response(request, response)


def admin_context(request: HttpRequest) -> dict[str, Any]:
    """Keeps unfold from writing its colours into each page as a `<style>`: they are in static/huuva/admin.css."""
    return {"colors": None}
