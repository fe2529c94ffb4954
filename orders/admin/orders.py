"""Orders: a list to find one in, and a page that tells everything about it. Nothing is edited here: an order is
advanced, cancelled or taken back by actions, through the services."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.views import ChangeList

from orders import clock
from orders.access import ERASE_CUSTOMER, sees_customers
from orders.admin import filters
from orders.admin.actions import choices
from orders.admin.brands import brand_mark
from orders.admin.customer_actions import CustomerActions
from orders.admin.formatting import format_time, late_badge, span, status_badge
from orders.admin.order_actions import OrderActions
from orders.admin.order_page import order_page
from orders.admin.paging import InfinitePaginator
from orders.admin.scope import KitchenScoped
from orders.admin.search import matching_ids
from orders.admin.sections import sections_of
from orders.models import Brand, Order
from orders.statuses import OPEN, is_late


class OrderList(ChangeList):
    """Brands have no foreign key (any brand id is fine), so the page's brands are read at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        brands = Brand.objects.in_bulk({order.brand_id for order in self.result_list})
        for order in self.result_list:
            order.brand = brands.get(order.brand_id)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Order]) -> list[str]:
        """Late and open orders by urgency, as the wall has them; their index holds them in this order."""
        if request.GET.get("late") == "yes" or request.GET.get("status") == "open":
            return ["due_at", "id"]
        ordering: list[str] = super().get_ordering(request, queryset)
        return ordering


@admin.register(Order)
class OrderAdmin(KitchenScoped, OrderActions, CustomerActions):
    list_display = ("number", "shown_status", "due", "age", "brand", "channel", "shown_kitchen", "created")
    list_filter = (
        filters.StatusFilter,
        filters.LateFilter,
        filters.CreatedFilter,
        filters.KitchenFilter,
        filters.BrandFilter,
        filters.ChannelFilter,
    )
    # unfold's own headings say “By late”.
    list_filter_options = {
        each.parameter_name: {"label": each.heading, "horizontal": False}
        for each in list_filter
        if each is not filters.CreatedFilter
    }
    list_filter_sheet = False
    list_fullwidth = True
    list_select_related = ("kitchen",)
    list_per_page = 50
    # Each other order would sort the whole table.
    ordering = ("-created_at", "-id")
    sortable_by = ()
    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # `search.matching_ids` does the search; this makes the field appear.
    search_fields = ("id",)
    search_help_text = _("Number, order id, account, name, phone or PLU")
    actions = ("mark_preparing", "mark_ready", "mark_picked_up", "cancel_orders", "export_orders")
    actions_list = ("export_list",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OrderList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).defer("note", "delivery_address")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        # PostgreSQL's text holds no NUL.
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        return queryset.filter(pk__in=matching_ids(term, by_customer=sees_customers(request.user))), False

    @display(description=_("number"))
    def number(self, order: Order) -> SafeString:
        return format_html('<span class="huuva-number">{}</span>', str(order))

    @display(description=_("status"))
    def shown_status(self, order: Order) -> SafeString:
        return status_badge(order.status, order.get_status_display())

    @display(description=_("brand"))
    def brand(self, order: Order) -> SafeString:
        return brand_mark(order.brand, order.brand_id)  # type: ignore[attr-defined]

    @display(description=_("kitchen"))
    def shown_kitchen(self, order: Order) -> str:
        return order.kitchen.name

    @display(description=_("due"))
    def due(self, order: Order) -> SafeString:
        now = clock.now()
        mark = late_badge(order, now) if is_late(order, now) else ""
        return format_html(
            '<span class="huuva-due">{} {}</span>', format_time(order.due_at, order.kitchen), mark
        )

    @display(description=_("age"))
    def age(self, order: Order) -> str | SafeString:
        if order.status in OPEN:
            return span(clock.now() - order.created_at)
        took = gettext("took %s") % span(order.changed_at - order.created_at)
        return format_html('<span class="huuva-quiet">{}</span>', took)

    @display(description=_("created"))
    def created(self, order: Order) -> str:
        return format_time(order.created_at, order.kitchen)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return request.user.has_perm("orders.view_order")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The order's page. It has no form: a status changes only through the services."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        order_id = unquote(object_id).replace("\0", "")
        order = super().get_queryset(request).select_related("kitchen").filter(pk=order_id).first()
        if order is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, order_id)
        page = order_page(order, customer=sees_customers(request.user))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": order,
            "title": str(order),
            **page,
            "may_move": self.has_move_permission(request),
            # An order that has ended and can't be recalled shows no actions.
            "can_act": order.status in OPEN or page["can_recall"],
            "advances": choices(order),
            "can_cancel": order.status in OPEN,
            "may_erase": request.user.has_perm(ERASE_CUSTOMER),
            "sections": sections_of(request, order, page["history"]),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "orders/admin/order.html", context)
