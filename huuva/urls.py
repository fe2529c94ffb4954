"""All addresses. The API answers with and without a trailing slash, and never redirects."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from analytics import urls as analytics_urls
from core import openapi
from huuva.ops import health, metrics

urlpatterns: list[URLPattern | URLResolver] = [
    # First, because nearly every call is one of these: patterns are tried one after the other.
    path("api/", include("orders.api.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/analytics/", include(analytics_urls.dashboard_urls)),
    path("admin/", admin.site.urls),
    re_path(r"^livez/?$", health.livez),
    re_path(r"^readyz/?$", health.readyz),
    re_path(r"^metrics/?$", metrics.metrics),
    re_path(r"^api/health/?$", health.api_health),
    re_path(r"^api/openapi\.json/?$", openapi.openapi_json, name="openapi"),
    re_path(r"^api/docs/?$", openapi.swagger, name="docs"),
    re_path(r"^api/problems/?$", openapi.problem_list, name="problems"),
    re_path(r"^api/redoc/?$", openapi.redoc, name="redoc"),
    path("", include("kitchen_display.urls")),
    path("api/", include(analytics_urls.api_urls)),
    path("api/", include("integrations.urls")),
]

handler400 = "core.http.views.bad_request"
handler403 = "core.http.views.forbidden"
handler404 = "core.http.views.not_found"
handler500 = "core.http.views.server_error"
