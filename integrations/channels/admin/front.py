"""Alerts of channels on the admin's front page: one statement, and one for links."""

from collections.abc import Iterator

from django.db.models import Count, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.models import ChannelLink, ChannelLocation, ChannelMessage
from orders.access import kitchens_of
from orders.admin.sections import Alert

MOST = 5


def channel_alerts(request: HttpRequest) -> Iterator[Alert]:
    # A location without a kitchen belongs to nobody yet: the managers of all kitchens see it.
    if kitchens_of(request.user) is not None or not request.user.has_perm("integrations.view_channelmessage"):
        return
    unknown, unsettled = _counts()
    if unknown:
        text = ngettext(
            "%d location of a channel has no kitchen: its orders are refused.",
            "%d locations of channels have no kitchen: their orders are refused.",
            unknown,
        )
        url = reverse("admin:integrations_channellocation_changelist", query={"unknown": "yes"})
        yield Alert(text % unknown, url)
    if unsettled:
        text = ngettext(
            "%d message of a channel was refused and needs attention.",
            "%d messages of channels were refused and need attention.",
            unsettled,
        )
        yield Alert(
            text % unsettled,
            reverse("admin:integrations_channelmessage_changelist", query={"trouble": "yes"}),
        )
    for link in (
        ChannelLink.objects.filter(is_active=True).exclude(disabled_at=None).order_by("-disabled_at")[:MOST]
    ):
        yield Alert(
            _("Updates to the channel %(name)s are disabled: %(reason)s.")
            % {"name": link.name, "reason": link.get_disabled_reason_display()},
            reverse("admin:integrations_channellink_change", args=[link.pk]),
        )


def _counts() -> tuple[int, int]:
    """Of locations without a kitchen, and of unsettled messages."""
    locations = (
        ChannelLocation.objects.filter(kitchen=None).values(kind=Value(0)).annotate(number=Count("pk"))
    )
    messages = (
        ChannelMessage.objects.unsettled().order_by().values(kind=Value(1)).annotate(number=Count("pk"))
    )
    counts = {row["kind"]: row["number"] for row in locations.order_by().union(messages).order_by()}
    return counts.get(0, 0), counts.get(1, 0)
