"""How statuses, times and people are shown on the managers' pages."""

from datetime import datetime, timedelta

from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders import clock
from orders.currencies import minor_digits
from orders.models import Kitchen, Order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED

# unfold's colour and icon of each status; the word goes with them always.
LOOKS = {
    RECEIVED: ("info", "inbox"),
    PREPARING: ("warning", "skillet"),
    READY: ("success", "check_circle"),
    PICKED_UP: ("default", "shopping_bag"),
    CANCELLED: ("danger", "cancel"),
}


def badge(text: str | Promise, look: str, icon: str = "") -> SafeString:
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": look, "icon": icon})


def status_badge(status: int, word: str | Promise) -> SafeString:
    return badge(word, *LOOKS[status])


def late_badge(order: Order, now: datetime) -> SafeString:
    return badge(_("%s late") % span(now - order.due_at), "danger", "alarm")


def span(time: timedelta) -> str:
    """A length of time in two units at most: “12 min”, “3 h 05 min”, “2 days”."""
    seconds = max(int(time.total_seconds()), 0)
    if seconds < 60:
        return _("%d s") % seconds
    hours, minutes = divmod(seconds // 60, 60)
    if not hours:
        return _("%d min") % minutes
    if hours < 48:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes}
    return ngettext("%d day", "%d days", hours // 24) % (hours // 24)


def format_time(at: datetime, kitchen: Kitchen, *, seconds: bool = False) -> str:
    """A time in the kitchen's zone, which is named: “23 Nov 17:25 EET”; with the year unless it is this one."""
    local = at.astimezone(kitchen.zone)
    this_year = local.year == clock.now().astimezone(kitchen.zone).year
    # In Django's letters for dates; Finnish writes 23.11.
    day = _("j M") if this_year else _("j M Y")
    # The zone by Python: Django leaves it out for the hour that comes twice when clocks go back.
    return f"{date_format(local, f'{day} H:i:s' if seconds else f'{day} H:i')} {local:%Z}"


def zone_name(kitchen: Kitchen, now: datetime) -> str:
    """“Europe/Helsinki (EET, UTC+02:00)”."""
    local = now.astimezone(kitchen.zone)
    return f"{kitchen.time_zone} ({local:%Z}, UTC{local:%:z})"


def who(actor: str) -> tuple[str, str]:
    """The icon and the words for an actor of the history (`key:wolt`, `channel:deliverect`, `user:anna`,
    `screen:grill-1`, `system`)."""
    kind, _colon, name = actor.partition(":")
    match kind:
        case "key":
            return "key", _("API key %s") % name
        case "user":
            return "person", name
        case "screen":
            return "tv", _("Screen %s") % name
        case "channel":
            return "hub", _("Channel %s") % name
        case "system":
            return "settings", _("Huuva itself")
    return "help", actor


def money(amount: int, currency: str) -> str:
    """An amount in minor units as people write it."""
    decimals = minor_digits(currency)
    return f"{amount / 10**decimals:.{decimals}f} {currency}"
