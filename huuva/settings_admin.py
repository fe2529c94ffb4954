"""What unfold, the managers' admin theme, needs to know."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _


def _file(path: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(path)


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _sees_figures(request: HttpRequest) -> bool:
    return request.user.has_perm("orders.view_order") or request.user.has_perm("analytics.view_dashboard")


def _on_dashboard(request: HttpRequest) -> bool:
    """It is the first page, too."""
    return request.path in (reverse("analytics-dashboard"), reverse("admin:index"))


def _on_orders(*, late: bool) -> Callable[[HttpRequest], bool]:
    """Whether the page shown is the order list of late orders, or any other page of orders."""

    def active(request: HttpRequest) -> bool:
        below = request.path.startswith(reverse("admin:orders_order_changelist"))
        return below and ("late" in request.GET) is late

    return active


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Huuva",
    "SITE_HEADER": "Huuva",
    "SITE_SUBHEADER": _("Kitchen orders"),
    "SITE_URL": None,
    "SITE_ICON": _file("huuva/icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("huuva/icon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "GLOBAL_CALLBACK": "huuva.csp.admin_context",
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
                    {
                        "title": _("All orders"),
                        "icon": "receipt_long",
                        "link": reverse_lazy("admin:orders_order_changelist"),
                        "active": _on_orders(late=False),
                        "permission": _may("orders.view_order"),
                    },
                    {
                        "title": _("Late now"),
                        "icon": "alarm",
                        "link": reverse_lazy("admin:orders_order_changelist", query={"late": "yes"}),
                        "active": _on_orders(late=True),
                        "permission": _may("orders.view_order"),
                    },
                ],
            },
            {
                "title": _("Set-up"),
                "separator": True,
                "items": [
                    {
                        "title": _("Kitchens"),
                        "icon": "skillet",
                        "link": reverse_lazy("admin:orders_kitchen_changelist"),
                        "permission": _may("orders.view_kitchen"),
                    },
                    {
                        "title": _("Busy mode"),
                        "icon": "speed",
                        "link": reverse_lazy("admin:orders_kitchenpace_changelist"),
                        "permission": _may("orders.view_kitchenpace"),
                    },
                    {
                        "title": _("Brands"),
                        "icon": "storefront",
                        "link": reverse_lazy("admin:orders_brand_changelist"),
                        "permission": _may("orders.view_brand"),
                    },
                    {
                        "title": _("Screens"),
                        "icon": "tv",
                        "link": reverse_lazy("admin:kitchen_display_screen_changelist"),
                        "permission": _may("kitchen_display.view_screen"),
                    },
                    {
                        "title": _("Stations"),
                        "icon": "outdoor_grill",
                        "link": reverse_lazy("admin:kitchen_display_station_changelist"),
                        "permission": _may("kitchen_display.view_station"),
                    },
                    {
                        "title": _("API keys"),
                        "icon": "key",
                        "link": reverse_lazy("admin:integrations_apikey_changelist"),
                        "permission": _may("integrations.view_apikey"),
                    },
                    {
                        "title": _("Webhooks"),
                        "icon": "webhook",
                        "link": reverse_lazy("admin:integrations_webhookendpoint_changelist"),
                        "permission": _may("integrations.view_webhookendpoint"),
                    },
                    {
                        "title": _("Deliveries"),
                        "icon": "outbox",
                        "link": reverse_lazy("admin:integrations_delivery_changelist"),
                        "permission": _may("integrations.view_delivery"),
                    },
                    {
                        "title": _("Users"),
                        "icon": "person",
                        "link": reverse_lazy("admin:auth_user_changelist"),
                        "permission": _may("auth.view_user"),
                    },
                    {
                        "title": _("Groups"),
                        "icon": "group",
                        "link": reverse_lazy("admin:auth_group_changelist"),
                        "permission": _may("auth.view_group"),
                    },
                    {
                        "title": _("Who changed what"),
                        "icon": "history",
                        "link": reverse_lazy("admin:admin_logentry_changelist"),
                        "permission": _may("admin.view_logentry"),
                    },
                ],
            },
            {
                "title": _("Channels"),
                "separator": True,
                "items": [
                    {
                        "title": _("Channel links"),
                        "icon": "hub",
                        "link": reverse_lazy("admin:integrations_channellink_changelist"),
                        "permission": _may("integrations.view_channellink"),
                    },
                    {
                        "title": _("Channel locations"),
                        "icon": "location_on",
                        "link": reverse_lazy("admin:integrations_channellocation_changelist"),
                        "permission": _may("integrations.view_channellocation"),
                    },
                    {
                        "title": _("Channel messages"),
                        "icon": "forum",
                        "link": reverse_lazy("admin:integrations_channelmessage_changelist"),
                        "permission": _may("integrations.view_channelmessage"),
                    },
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
