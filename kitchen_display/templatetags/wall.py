"""`{% ticket t %}`: a ticket, drawn anew only when something of it has changed.

Most of a board's time goes into drawing tickets, and from one change to the next nearly all of them look as before.
"""

import secrets
from functools import lru_cache
from typing import Any, Final

from django import template
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe

from kitchen_display.tickets import Ticket

register = template.Library()

# Stands where each browser's own token comes. Random, so that no order can hold it.
_TOKEN: Final = secrets.token_hex(32)


@register.simple_tag(takes_context=True)
def ticket(context: dict[str, Any], t: Ticket) -> SafeString:
    language = translation.get_language() or ""
    drawn = _drawn(t, language, timezone.get_current_timezone_name())
    # Escaped by the template that drew it; the token is letters and digits.
    return mark_safe(drawn.replace(_TOKEN, str(context.get("csrf_token", ""))))  # noqa: S308


# A ticket compares by all that it shows. A few kB each, for the walls of some kitchens.
@lru_cache(maxsize=1000)
def _drawn(t: Ticket, language: str, time_zone: str) -> str:
    return str(get_template("kitchen_display/_ticket.html").render({"t": t, "csrf_token": _TOKEN}))
