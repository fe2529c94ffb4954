"""Set a kitchen's pace: paused, busy, or its preparation time. Channels are notified by a signal's receiver."""

from django.db import transaction

from orders import clock
from orders.models import Kitchen, KitchenPace
from orders.signals import pace_changed


def pace_of(kitchen: str) -> KitchenPace:
    """The present pace; online where it was never set."""
    return KitchenPace.objects.filter(pk=kitchen).first() or KitchenPace(kitchen_id=kitchen)


def set_pace(
    kitchen: Kitchen, *, mode: str, busy_minutes: int, preparation_minutes: int | None, actor: str
) -> KitchenPace:
    """The same values again change nothing and send no signal. Forms and the database check the values."""
    with transaction.atomic():
        KitchenPace.objects.get_or_create(pk=kitchen.pk)
        pace = KitchenPace.objects.select_for_update().get(pk=kitchen.pk)
        values = (mode, busy_minutes, preparation_minutes)
        if values == (pace.mode, pace.busy_minutes, pace.preparation_minutes):
            return pace
        pace.mode, pace.busy_minutes, pace.preparation_minutes = values
        pace.version += 1
        pace.changed_at, pace.changed_by = clock.now(), actor
        pace.save()
        pace_changed.send(KitchenPace, pace=pace)
    return pace
