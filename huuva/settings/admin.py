"""Settings of unfold, the admin's theme."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def _file(path: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(path)


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _sees_figures(request: HttpRequest) -> bool:
    return request.user.has_perm("orders.view_order") or request.user.has_perm("analytics.view_dashboard")


def _on_dashboard(request: HttpRequest) -> bool:
    """It is also the front page."""
    return request.path in (reverse("analytics-dashboard"), reverse("admin:index"))


def _on_orders(*, late: bool) -> Callable[[HttpRequest], bool]:
    """Whether the page is the list of late orders, or any other page of orders."""

    def active(request: HttpRequest) -> bool:
        below = request.path.startswith(reverse("admin:orders_order_changelist"))
        return below and ("late" in request.GET) is late

    return active


def _list(title: Promise, icon: str, app: str, model: str, **more: Any) -> dict[str, Any]:
    """The entry of a model's list, for users who may see it."""
    link = reverse_lazy(f"admin:{app}_{model}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _may(f"{app}.view_{model}"), **more}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Huuva",
    "SITE_HEADER": "Huuva",
    "SITE_SUBHEADER": _("Kitchen orders"),
    "SITE_URL": None,
    "SITE_ICON": _file("huuva/icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("huuva/icon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "GLOBAL_CALLBACK": "core.http.csp.admin_context",
    "DASHBOARD_CALLBACK": "analytics.dashboard.views.front_page",
    "STYLES": [_file("huuva/admin.css"), _file("orders/admin.css")],
    "SCRIPTS": [_file("huuva/admin.js")],
    "SIDEBAR": {
        "navigation": [
            {
                "title": _("Figures"),
                "items": [
                    {
                        "title": _("Dashboard"),
                        "icon": "monitoring",
                        "link": reverse_lazy("analytics-dashboard"),
                        "active": _on_dashboard,
                        "permission": _sees_figures,
                    },
                ],
            },
            {
                "title": _("Orders"),
                "items": [
                    _list(_("All orders"), "receipt_long", "orders", "order", active=_on_orders(late=False)),
                    _list(
                        _("Late now"),
                        "alarm",
                        "orders",
                        "order",
                        link=reverse_lazy("admin:orders_order_changelist", query={"late": "yes"}),
                        active=_on_orders(late=True),
                    ),
                ],
            },
            {
                "title": _("Set-up"),
                "separator": True,
                "items": [
                    _list(_("Kitchens"), "skillet", "orders", "kitchen"),
                    _list(_("Busy mode"), "speed", "orders", "kitchenpace"),
                    _list(_("Brands"), "storefront", "orders", "brand"),
                    _list(_("Screens"), "tv", "kitchen_display", "screen"),
                    _list(_("Stations"), "outdoor_grill", "kitchen_display", "station"),
                    _list(_("API keys"), "key", "integrations", "apikey"),
                    _list(_("Webhooks"), "webhook", "integrations", "webhookendpoint"),
                    _list(_("Deliveries"), "outbox", "integrations", "delivery"),
                    _list(_("Users"), "person", "auth", "user"),
                    _list(_("Groups"), "group", "auth", "group"),
                    _list(_("Who changed what"), "history", "admin", "logentry"),
                    _list(_("Logins"), "login", "huuva", "loginattempt"),
                ],
            },
            {
                "title": _("Channels"),
                "separator": True,
                "items": [
                    _list(_("Channel links"), "hub", "integrations", "channellink"),
                    _list(_("Channel locations"), "location_on", "integrations", "channellocation"),
                    _list(_("Channel messages"), "forum", "integrations", "channelmessage"),
                ],
            },
            {
                "title": _("For integrators"),
                "separator": True,
                "items": [
                    {"title": _("Try the API"), "icon": "api", "link": reverse_lazy("docs")},
                    {"title": _("API reference"), "icon": "menu_book", "link": reverse_lazy("redoc")},
                ],
            },
        ],
    },
}
