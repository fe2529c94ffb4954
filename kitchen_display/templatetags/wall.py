"""`{% icon name %}`, and `{% ticket t %}`: a ticket, rendered again only when something of it has changed.

Most of a board's time goes into rendering tickets, and from one change to the next nearly all of them stay the same.
"""

import secrets
from functools import cache, lru_cache
from typing import Any, Final

from django import template
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from kitchen_display.tickets import Ticket

register = template.Library()

# Placeholder for each browser's own token. Random, so that no order can contain it.
_TOKEN: Final = secrets.token_hex(32)


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """A sign of _icons.html."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"></use></svg>', name)


@register.simple_tag(takes_context=True)
def ticket(context: dict[str, Any], t: Ticket) -> SafeString:
    language = translation.get_language() or ""
    html = _rendered(t, language, timezone.get_current_timezone_name())
    # Escaped by the template; the token is letters and digits.
    return mark_safe(html.replace(_TOKEN, str(context.get("csrf_token", ""))))  # noqa: S308


# Tickets are equal when they show the same. A few kB each: room for the walls of some kitchens.
@lru_cache(maxsize=1000)
def _rendered(t: Ticket, language: str, time_zone: str) -> str:
    return str(get_template("kitchen_display/_ticket.html").render({"t": t, "csrf_token": _TOKEN}))
