"""`manage.py pair_screen NAME`: prints only the path of a link that pairs the browser which opens it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from kitchen_display.models import Screen, Station
from kitchen_display.pairing import LINK_LIFETIME, make_link
from orders.audit import record, shell_user
from orders.models import Kitchen


class Command(BaseCommand):
    help = (
        "Prints the path of a link that pairs the browser which opens it first, within "
        f"{LINK_LIFETIME.days * 24} hours. A screen of that name is created, or gets a new link if it exists."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what history calls the screen, such as grill-1")
        parser.add_argument("--kitchen", help="the kitchen's slug; may be left out where there is one only")
        parser.add_argument("--station", help="the station's slug; without it the screen is expo")
        parser.add_argument(
            "--board",
            choices=Screen.Kind.values,
            help="kitchen (default) or pickup, the couriers' board",
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        kitchen = self._kitchen(options["kitchen"])
        screen = Screen.objects.filter(kitchen=kitchen, name=options["name"]).first()
        if screen is None:
            screen = Screen(kitchen=kitchen, name=options["name"])
        if options["board"]:
            screen.kind = options["board"]
        if options["station"]:
            screen.station = self._station(kitchen, options["station"])
        try:
            screen.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        screen.save()
        record("pairing_link_made", screen, shell=shell_user())
        self.stdout.write(make_link(screen))

    def _kitchen(self, slug: str | None) -> Kitchen:
        if slug:
            kitchen = Kitchen.objects.filter(pk=slug).first()
            if kitchen is None:
                raise CommandError(f"There is no kitchen {slug}. There are: {_listed(Kitchen)}.")
            return kitchen
        kitchens = list(Kitchen.objects.all()[:2])
        if len(kitchens) != 1:
            raise CommandError(f"Say which kitchen by --kitchen: {_listed(Kitchen) or 'there is none yet'}.")
        return kitchens[0]

    def _station(self, kitchen: Kitchen, slug: str) -> Station:
        station = Station.objects.filter(kitchen=kitchen, slug=slug).first()
        if station is None:
            slugs = ", ".join(Station.objects.filter(kitchen=kitchen).values_list("slug", flat=True))
            raise CommandError(
                f"Kitchen {kitchen.pk} has no station {slug}. It has: {slugs or 'none yet; add one in the admin'}."
            )
        return station


def _listed(model: type[Kitchen]) -> str:
    return ", ".join(model.objects.values_list("slug", flat=True)[:20])
