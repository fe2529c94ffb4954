"""Stations of a kitchen, and which items each of them makes."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models import Kitchen
from orders.models.kitchens import check_slug


class Station(models.Model):
    """A place in a kitchen where some of the items are made: grill, sushi, packing."""

    # No index of its own: the unique constraint begins with it.
    kitchen = models.ForeignKey(
        Kitchen, on_delete=models.CASCADE, related_name="stations", db_index=False, verbose_name=_("kitchen")
    )
    slug = models.CharField(_("slug"), max_length=50, validators=[check_slug])
    name = models.CharField(_("name"), max_length=100)

    class Meta:
        verbose_name = _("station")
        verbose_name_plural = _("stations")
        ordering = ["kitchen", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["kitchen", "slug"],
                name="station_once_in_kitchen",
                violation_error_message=_("This kitchen has a station with that slug already."),
            ),
            models.CheckConstraint(condition=models.Q(slug__length__gte=1), name="station_slug_not_empty"),
            models.CheckConstraint(condition=models.Q(name__length__gte=1), name="station_name_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name


class StationRule(models.Model):
    """Claims a product (`plu` exactly) or all whose PLU begins with `plu` for a station.

    The longest match of a kitchen's rules wins, an exact one before a prefix; several stations may claim the same.
    An item that no rule claims is shown at every station: better twice than nowhere.
    """

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="rules", db_index=False)
    plu = models.CharField(_("PLU"), max_length=128, db_collation="C")
    is_prefix = models.BooleanField(
        _("and all that begin with it"), default=True, help_text=_("Off: this one product only.")
    )

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["plu"]
        constraints = [
            models.UniqueConstraint(
                fields=["station", "plu", "is_prefix"],
                name="rule_once_in_station",
                violation_error_message=_("This station has that rule already."),
            ),
            models.CheckConstraint(condition=models.Q(plu__length__gte=1), name="rule_plu_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.plu}…" if self.is_prefix else self.plu
