"""What unfold, the managers' admin theme, needs to know."""

from typing import Any

from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Huuva",
    "SITE_HEADER": "Huuva",
    "SITE_SUBHEADER": _("Kitchen orders"),
    "SITE_SYMBOL": "skillet",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
