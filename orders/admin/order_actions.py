"""The actions of the order list and of an order's page, as views of the admin."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action

from core.problems import is_busy
from orders import audit, clock
from orders.access import EXPORT, MOVE, actor_of, sees_customers
from orders.admin.actions import ActionForm, act, act_on_many, refusal_text
from orders.admin.export import csv_lines, exported_ids
from orders.errors import Refusal
from orders.models import Order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, OrderStatus

# Orders named in a message.
MOST_NAMED = 10
# Orders moved by one action, each in a transaction of its own: more would exceed the browser's timeout.
MOST_AT_ONCE = 200


class OrderActions(ModelAdmin):
    """What OrderAdmin can do to orders."""

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<path:object_id>/act/",
            self.admin_site.admin_view(self.act_view),
            name="orders_order_act",
        )
        return [own, *super().get_urls()]

    def has_move_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(MOVE))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(EXPORT))

    def act_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One action on one order, then its page again with the result."""
        if not self.has_move_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        order_id = unquote(object_id).replace("\0", "")
        if not self.get_queryset(request).filter(pk=order_id).exists():
            return self._get_obj_does_not_exist_redirect(request, self.opts, order_id)
        form = ActionForm(request.POST)
        if not form.is_valid():
            for errors in form.errors.values():
                messages.error(request, " ".join(str(error) for error in errors))
        else:
            self._act(request, order_id, form.cleaned_data)
        return HttpResponseRedirect(reverse("admin:orders_order_change", args=[quote(order_id)]))

    def _act(self, request: HttpRequest, order_id: str, data: dict[str, Any]) -> None:
        try:
            order = act(
                order_id,
                data["do"],
                version=data["version"],
                reason=data["reason"],
                actor=actor_of(request.user),
            )
        except Refusal as refusal:
            messages.error(request, str(refusal_text(refusal)))
        except DatabaseError as error:
            if not is_busy(error):
                raise
            text = _(
                "Nothing was changed: somebody else is changing this order right now. Try again in a moment."
            )
            messages.error(request, text)
        else:
            word = OrderStatus(order.status).label
            messages.success(request, _("%(order)s is %(status)s now.") % {"order": order, "status": word})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Adds the list's filters to the export's link."""
        response: HttpResponse = super().changelist_view(request, extra_context)
        for each in getattr(response, "context_data", {}).get("actions_list", ()):
            each["path"] = f"{each['path']}?{request.GET.urlencode()}"
        return response

    @admin.action(description=gettext_lazy("Mark as preparing"), permissions=["move"])
    def mark_preparing(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move_many(request, queryset, PREPARING)

    @admin.action(description=gettext_lazy("Mark as ready"), permissions=["move"])
    def mark_ready(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move_many(request, queryset, READY)

    @admin.action(description=gettext_lazy("Mark as picked up"), permissions=["move"])
    def mark_picked_up(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move_many(request, queryset, PICKED_UP)

    @admin.action(description=gettext_lazy("Cancel with a reason…"), permissions=["move"])
    def cancel_orders(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Asks for the reason first; it is sent to the channels."""
        # PostgreSQL's text holds no NUL.
        reason = request.POST.get("reason", "").replace("\0", "").strip()[:500]
        if self._are_too_many(request, queryset):
            return None
        if reason and "confirmed" in request.POST:
            self._move_many(request, queryset, CANCELLED, reason)
            return None
        if "confirmed" in request.POST:
            messages.error(request, _("Say why the orders are cancelled: their channels are told."))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Cancel orders"),
            "opts": self.opts,
            "orders": list(queryset),
            "action": "cancel_orders",
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "orders/admin/cancel.html", context)

    def _are_too_many(self, request: HttpRequest, queryset: QuerySet[Order]) -> bool:
        """“Select all” covers all pages: adds an error message where that is more than MOST_AT_ONCE."""
        many = len(queryset.values_list("pk", flat=True)[: MOST_AT_ONCE + 1]) > MOST_AT_ONCE
        if many:
            text = _("Nothing was changed: at most %(number)d orders can be moved at once.")
            messages.error(request, text % {"number": MOST_AT_ONCE})
        return many

    def _move_many(self, request: HttpRequest, queryset: QuerySet[Order], to: int, reason: str = "") -> None:
        if self._are_too_many(request, queryset):
            return
        done = act_on_many(list(queryset), to, actor=actor_of(request.user), reason=reason)
        word = OrderStatus(to).label
        if done.moved:
            text = ngettext(
                "%(number)d order is %(status)s.", "%(number)d orders are %(status)s.", done.moved
            )
            messages.success(request, text % {"number": done.moved, "status": word})
        if done.refused:
            named = ", ".join(done.refused[:MOST_NAMED]) + (" …" if len(done.refused) > MOST_NAMED else "")
            text = _("Not possible from where they are: %(orders)s.")
            messages.error(request, text % {"orders": named})
        if done.held:
            text = ngettext(
                "%(order)s was not changed: somebody else is changing it right now. Try again in a moment.",
                "%(order)s and those after it, %(number)d orders, were not changed: somebody else is changing it "
                "right now. Try again in a moment.",
                done.left + 1,
            )
            messages.error(request, text % {"order": done.held, "number": done.left + 1})

    @admin.action(description=gettext_lazy("Export as CSV"), permissions=["export"])
    def export_orders(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse:
        return self._csv(request, queryset)

    @action(
        description=gettext_lazy("Export this list"),
        url_path="export",
        permissions=["export"],
        icon="download",
    )
    def export_list(self, request: HttpRequest) -> HttpResponse:
        """What the list's filters and search leave, newest first, at most export.MOST_ROWS."""
        try:
            shown = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:orders_order_changelist", query={"e": "1"}))
        return self._csv(request, shown.get_queryset(request))

    def _csv(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse:
        customer = sees_customers(request.user)
        ids = exported_ids(orders)
        # Before the first line is sent, so that no export is missing in the audit.
        audit.record("orders_exported", Order, user=request.user, orders=len(ids), customers=customer)
        response = StreamingHttpResponse(
            csv_lines(ids, customer=customer), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="orders-{clock.now():%Y%m%d-%H%M}.csv"'
        return response  # type: ignore[return-value]
