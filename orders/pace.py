"""Pause a kitchen, say that it is busy, or how long it needs. Who tells the channels hears of it by a signal."""

from django.db import transaction

from orders import clock
from orders.models import Kitchen, KitchenPace
from orders.signals import pace_changed


def pace_of(kitchen: str) -> KitchenPace:
    """As it is now; one that was never set is online."""
    return KitchenPace.objects.filter(pk=kitchen).first() or KitchenPace(kitchen_id=kitchen)


def set_pace(
    kitchen: Kitchen, *, mode: str, busy_minutes: int, preparation_minutes: int | None, actor: str
) -> KitchenPace:
    """The same again changes nothing and tells nobody. Values are the form's to check; the database refuses others."""
    with transaction.atomic():
        KitchenPace.objects.get_or_create(pk=kitchen.pk)
        pace = KitchenPace.objects.select_for_update().get(pk=kitchen.pk)
        wanted = (mode, busy_minutes, preparation_minutes)
        if wanted == (pace.mode, pace.busy_minutes, pace.preparation_minutes):
            return pace
        pace.mode, pace.busy_minutes, pace.preparation_minutes = wanted
        pace.version += 1
        pace.changed_at, pace.changed_by = clock.now(), actor
        pace.save()
        pace_changed.send(KitchenPace, pace=pace)
    return pace
