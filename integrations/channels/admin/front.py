"""What channels want a manager to look at, on the admin's first page: one statement, and one for links."""

from collections.abc import Iterator

from django.db.models import Count, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.channels.intake import trouble
from integrations.models import ChannelLink, ChannelLocation
from orders.access import kitchens_of
from orders.admin.sections import Alert

MOST = 5


def channel_alerts(request: HttpRequest) -> Iterator[Alert]:
    # A place without a kitchen is nobody's yet: who looks after all kitchens hears of it.
    if kitchens_of(request.user) is not None or not request.user.has_perm("integrations.view_channelmessage"):
        return
    unknown, count = _numbers()
    if unknown:
        text = ngettext(
            "%d place of a channel has no kitchen: its orders are refused.",
            "%d places of channels have no kitchen: their orders are refused.",
            unknown,
        )
        url = reverse("admin:integrations_channellocation_changelist", query={"unknown": "yes"})
        yield Alert(text % unknown, url)
    if count:
        text = ngettext(
            "%d message of a channel was refused, and waits for somebody.",
            "%d messages of channels were refused, and wait for somebody.",
            count,
        )
        yield Alert(
            text % count, reverse("admin:integrations_channelmessage_changelist", query={"trouble": "yes"})
        )
    for link in (
        ChannelLink.objects.filter(is_active=True).exclude(disabled_at=None).order_by("-disabled_at")[:MOST]
    ):
        yield Alert(
            _("The channel %(name)s is told no more: %(reason)s.")
            % {"name": link.name, "reason": link.get_disabled_reason_display()},
            reverse("admin:integrations_channellink_change", args=[link.pk]),
        )


def _numbers() -> tuple[int, int]:
    """Of places without a kitchen, and of messages that wait for somebody."""
    places = ChannelLocation.objects.filter(kitchen=None).values(kind=Value(0)).annotate(number=Count("pk"))
    messages = trouble().order_by().values(kind=Value(1)).annotate(number=Count("pk"))
    found = {row["kind"]: row["number"] for row in places.order_by().union(messages).order_by()}
    return found.get(0, 0), found.get(1, 0)
