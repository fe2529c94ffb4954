"""Managers see their own kitchens only: a mixin for every admin page that shows data of a kitchen."""

from typing import Any

from django.contrib.admin import RelatedFieldListFilter
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest

from orders.access import kitchens_of
from orders.models import Kitchen


class KitchenScoped:
    """For a ModelAdmin: rows of other kitchens don't exist, and forms don't offer these kitchens.

    `kitchen_lookup` leads from the model to its kitchen's slug.
    """

    kitchen_lookup = "kitchen"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        allowed = kitchens_of(request.user)
        return rows if allowed is None else self.of_kitchens(rows, allowed)

    def of_kitchens(self, rows: QuerySet[Any], allowed: frozenset[str]) -> QuerySet[Any]:
        """Those that a manager of these kitchens may see; overridden where no lookup says it."""
        return rows.filter(**{f"{self.kitchen_lookup}__in": allowed})

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only the list's own filters. Django would let a URL filter by any column, also one that this user can't see:
        a customer's name or a secret could be guessed letter by letter."""
        offered = {_name(each) for each in self.list_filter}  # type: ignore[attr-defined]
        first = lookup.partition("__")[0]
        columns = {field.name for field in self.opts.get_fields()}  # type: ignore[attr-defined]
        if first in columns and first not in offered:
            return False
        return bool(super().lookup_allowed(lookup, value, request))  # type: ignore[misc]

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        allowed = kitchens_of(request.user)
        if allowed is not None:
            related = db_field.remote_field.model
            if related is Kitchen:
                kwargs["queryset"] = Kitchen.objects.filter(pk__in=allowed)
            elif any(field.name == "kitchen" for field in related._meta.fields):
                kwargs["queryset"] = related._default_manager.filter(kitchen__in=allowed)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        if allowed is not None and field is not None and db_field.remote_field.model is Kitchen:
            # Empty means all kitchens where it may be empty.
            field.required = True
        return field


def _name(listed: Any) -> str:
    """Of an entry of `list_filter`: a column, a column with its class, or a class with a parameter."""
    if isinstance(listed, str):
        return listed
    return str(listed[0] if isinstance(listed, tuple) else getattr(listed, "parameter_name", ""))


class KitchenFilter(RelatedFieldListFilter):
    """Offers the kitchens that the manager may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        allowed = kitchens_of(request.user)
        limit = {} if allowed is None else {"pk__in": allowed}
        return field.get_choices(
            include_blank=False,
            ordering=self.field_admin_ordering(field, request, model_admin),
            limit_choices_to=limit,
        )
