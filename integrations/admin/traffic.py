"""The traffic of an order on its page: calls of keys, messages of its channel, and deliveries to webhooks and channels,
with request ids, outcomes and replay. Three statements, whatever the order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from integrations.admin.calls import REFUSED, Call, calls_of
from integrations.channels.admin.messages import LOOKS, may_replay
from integrations.models import ChannelMessage, Delivery
from orders.admin.formatting import badge, format_time
from orders.models import Order, StatusChange
from orders.statuses import ItemStatus, OrderStatus

# Of each kind; the lists show the rest.
MAX_ROWS: Final = 100
DELIVERY_LOOKS: Final = {
    Delivery.State.WAITING: "info",
    Delivery.State.DELIVERED: "success",
    Delivery.State.GIVEN_UP: "danger",
    Delivery.State.SKIPPED: "default",
}


@dataclass(frozen=True)
class TrafficRow:
    at: datetime
    time: str
    inbound: bool
    partner: str
    what: str
    outcome: SafeString
    code: str
    detail: str
    request_id: str
    url: str
    replay_url: str


def order_traffic(request: HttpRequest, order: Order, history: Sequence[StatusChange]) -> str:
    """The card; empty for users who may not see it, and for orders without any traffic."""
    rows: list[TrafficRow] = []
    if request.user.has_perm("integrations.view_apikey"):
        rows += _calls(order, history)
    if request.user.has_perm("integrations.view_channelmessage"):
        rows += _messages(request, order)
    if request.user.has_perm("integrations.view_delivery"):
        rows += _deliveries(request, order)
    if not rows:
        return ""
    rows.sort(key=lambda row: row.at)
    return render_to_string("integrations/traffic.html", {"traffic": rows, "order": order}, request)


def _calls(order: Order, history: Sequence[StatusChange]) -> Iterable[TrafficRow]:
    """Calls of keys. Refusals are known where they had an Idempotency-Key; the request log has all."""
    for call in calls_of(order, history):
        refused = call.status >= REFUSED
        yield TrafficRow(
            call.at,
            format_time(call.at, order.kitchen, seconds=True),
            True,
            _("API key %s") % call.key,
            _describe_call(call),
            badge(_("refused") if refused else _("done"), "danger" if refused else "success"),
            str(call.status or ""),
            call.code,
            call.request_id,
            "",
            "",
        )


def _describe_call(call: Call) -> str:
    if call.change is None:
        known = call.version and call.status < REFUSED
        return _("order at change %(number)s") % {"number": call.version} if known else _("a call")
    if call.change == 1:
        return _("new order")
    number = _("change %(number)s") % {"number": call.change}
    if call.is_recall:
        return f"{number}: {_('recall')}"
    status = OrderStatus if call.plu is None else ItemStatus
    word = str(status(call.to_status).label)
    return f"{number}: {word}" if call.plu is None else f"{number}: {call.plu} {word}"


def _messages(request: HttpRequest, order: Order) -> Iterable[TrafficRow]:
    may = request.user.has_perm("integrations.change_channelmessage")
    channel_messages = (
        ChannelMessage.objects.filter(order_id=order.id).select_related("link").defer("payload")
    )
    for message in channel_messages.order_by("at", "id")[:MAX_ROWS]:
        yield TrafficRow(
            message.at,
            format_time(message.at, order.kitchen, seconds=True),
            True,
            message.link.name,
            f"{message.matter} {message.channel_status}".strip(),
            badge(message.get_outcome_display(), LOOKS[ChannelMessage.Outcome(message.outcome)]),
            str(message.status_code),
            message.detail,
            message.request_id,
            reverse("admin:integrations_channelmessage_change", args=[message.pk]),
            _replay_url("replay", message.pk) if may and message.is_unsettled else "",
        )


def _deliveries(request: HttpRequest, order: Order) -> Iterable[TrafficRow]:
    may = may_replay(request)
    deliveries = Delivery.objects.filter(order_id=order.id).select_related("sink").order_by("id")
    for delivery in deliveries[:MAX_ROWS]:
        state = Delivery.State(delivery.state)
        at = delivery.finished_at or delivery.created_at
        yield TrafficRow(
            at,
            format_time(at, order.kitchen, seconds=True),
            False,
            delivery.sink.name,
            f"{delivery.event_type} #{delivery.sequence}",
            badge(_label(state), DELIVERY_LOOKS[state]),
            "" if delivery.last_status is None else str(delivery.last_status),
            _attempts(delivery),
            str(delivery.pk),
            reverse("admin:integrations_delivery_change", args=[delivery.pk]),
            _replay_url("replay_delivery", delivery.pk) if may and state != Delivery.State.WAITING else "",
        )


def _label(state: Delivery.State) -> str | Promise:
    return state.label


def _attempts(delivery: Delivery) -> str:
    last: dict[str, Any] = delivery.log[-1] if delivery.log else {}
    if not delivery.attempts:
        return ""
    parts = [_("tries: %d") % delivery.attempts]
    if delivery.last_ms is not None:
        parts.append(f"{delivery.last_ms} ms")
    if last.get("error"):
        parts.append(str(last["error"]))
    return ", ".join(parts)


def _replay_url(name: str, pk: int) -> str:
    return reverse(f"admin:integrations_channelmessage_{name}", args=[pk])
