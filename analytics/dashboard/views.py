"""The dashboard: on the admin's front page, as a page of its own, and each panel as CSV."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analytics.dashboard.context import may_see
from analytics.dashboard.page import Dashboard
from core import csvs
from orders import audit
from orders.admin.sections import alerts_for
from orders.models import Order


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """For unfold's DASHBOARD_CALLBACK: adds the alerts of all apps, and the dashboard for those who may see it."""
    context["alerts"] = alerts_for(request)
    if may_see(request.user):
        context |= Dashboard(request.user, request.GET.dict()).context()
    return context


@never_cache
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    if not may_see(request.user):
        raise PermissionDenied
    context = {
        **admin.site.each_context(request),
        "title": _("Dashboard"),
        **Dashboard(request.user, request.GET.dict()).context(),
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "analytics/dashboard/page.html", context)


@never_cache
@require_safe
def panel_csv(request: HttpRequest, panel: str) -> HttpResponse:
    """The rows of one panel; durations in seconds, shares from 0 to 1."""
    if not may_see(request.user):
        raise PermissionDenied
    page = Dashboard(request.user, request.GET.dict())
    if panel not in page.panels:
        raise Http404
    rows, names = page.panels[panel].csv()
    if panel == "customers":
        audit.record("accounts_exported", Order, user=request.user, accounts=len(rows))
    days = page.filters.days
    response = HttpResponse(csvs.dumps(rows, names), content_type=csvs.CONTENT_TYPE)
    name = f"huuva-{panel}-{days.first.isoformat()}-{days.last.isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
