"""Export or erase a customer's data from an order's page (orders.privacy)."""

from collections.abc import Iterator
from typing import Any

import orjson
import structlog
from django.contrib import messages
from django.contrib.admin.models import DELETION
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from orders import audit, privacy
from orders.access import ERASE_CUSTOMER
from orders.errors import OrdersStillOpen
from orders.models import Order

log = structlog.get_logger(__name__)


class CustomerActions(ModelAdmin):
    """Mixed into the admin of orders. Covers the account's orders of all kitchens: the data is one person's."""

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<path:object_id>/customer/",
            self.admin_site.admin_view(self.customer_view),
            name="orders_order_customer",
        )
        return [own, *super().get_urls()]

    def customer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not request.user.has_perm(ERASE_CUSTOMER):
            raise PermissionDenied
        order_id = unquote(object_id).replace("\0", "")
        order = self.get_queryset(request).filter(pk=order_id).first()
        if order is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, order_id)
        if request.method == "POST":
            return self._erase(request, order)
        if "export" in request.GET:
            log.info("account_exported", by=request.user.get_username(), order_id=order.id)
            number = Order.objects.filter(account=order.account).count()
            audit.record("account_exported", order, user=request.user, orders=number)
            response = StreamingHttpResponse(_lines(order.account), content_type="application/x-ndjson")
            response["Content-Disposition"] = 'attachment; filename="customer.jsonl"'
            return response  # type: ignore[return-value]
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("A customer's data"),
            "opts": self.opts,
            "order": order,
            "number": Order.objects.filter(account=order.account).count(),
        }
        return TemplateResponse(request, "orders/admin/customer.html", context)

    def _erase(self, request: HttpRequest, order: Order) -> HttpResponse:
        back = HttpResponseRedirect(reverse("admin:orders_order_change", args=[quote(order.pk)]))
        if request.POST.get("account", "").strip() != order.account:
            messages.error(request, _("Nothing was erased: write the account exactly as it stands above."))
            return HttpResponseRedirect(reverse("admin:orders_order_customer", args=[quote(order.pk)]))
        try:
            with transaction.atomic():
                erased = privacy.erase_account(order.account)
                audit.record(
                    "account_erased",
                    order,
                    user=request.user,
                    flag=DELETION,
                    orders=erased.orders,
                    account=erased.account,
                )
        except OrdersStillOpen:
            messages.error(
                request,
                _(
                    "Nothing was erased: orders of this account are still open. Erase when they are handed out."
                ),
            )
            return back
        log.info(
            "account_erased", by=request.user.get_username(), orders=erased.orders, now_called=erased.account
        )
        text = ngettext(
            "%(number)d order has lost its customer's data; the account is called %(account)s now.",
            "%(number)d orders have lost their customer's data; the account is called %(account)s now.",
            erased.orders,
        )
        messages.success(request, text % {"number": erased.orders, "account": erased.account})
        return back


def _lines(account: str) -> Iterator[bytes]:
    for document in privacy.export_account(account):
        yield orjson.dumps(document, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
