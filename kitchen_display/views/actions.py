"""What cooks do: bump, take back, acknowledge, change settings. Forms; a script gets the fresh board as the answer."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kitchen_display import hints
from kitchen_display.alarms import acknowledge
from kitchen_display.board import read_board
from kitchen_display.bumping import NotPossible, bump, take_back
from kitchen_display.models import Screen
from kitchen_display.recallables import last_bumped
from kitchen_display.sightings import record_sightings
from kitchen_display.views.access import DISPLAY, SeeOther, by_script, for_screen, refused
from kitchen_display.views.boards import answer_board
from orders.models import KitchenPace
from orders.pace import set_pace
from orders.statuses import READY

# Undo is offered for 10 s; a touch at the end of them still has to arrive.
UNDO_WITHIN: Final = timedelta(seconds=15)


class TouchForm(forms.Form):
    """`version` and `to` as the page showed them; `to` empty or 0: ready.

    `what`: “amended” where amendments alone were seen.
    """

    order = forms.CharField(max_length=128, strip=False)
    plu = forms.CharField(max_length=128, strip=False, required=False)
    version = forms.IntegerField(min_value=1, required=False)
    to = forms.IntegerField(min_value=0, max_value=5, required=False)
    what = forms.CharField(max_length=20, required=False)


class UndoForm(forms.Form):
    """`any`: also what is no longer offered as Undo, within the kitchen's time of recall."""

    order = forms.CharField(max_length=128, strip=False, required=False)
    any = forms.BooleanField(required=False)


class SettingsForm(forms.ModelForm):
    class Meta:
        model = Screen
        fields = (
            "text_scale",
            "columns",
            "sound_new",
            "sound_cancelled",
            "sound_late",
            "language",
            "awake_from",
            "awake_to",
        )


class PaceForm(forms.ModelForm):
    class Meta:
        model = KitchenPace
        fields = ("mode", "busy_minutes", "preparation_minutes")


type Action = Callable[[Screen, dict[str, Any]], None]


def _action(form_class: type[forms.Form]) -> Callable[[Action], Callable[..., HttpResponse]]:
    """A view of a touch: acts, then answers with the board. The action raises NotPossible to refuse."""

    def decorate(act: Action) -> Callable[..., HttpResponse]:
        @require_POST
        @for_screen(DISPLAY)
        @wraps(act)
        def view(request: HttpRequest, screen: Screen) -> HttpResponse:
            form = form_class(request.POST)
            if not form.is_valid():
                return refused(
                    request, _("That touch was not understood. Load the page again."), DISPLAY.path, 400
                )
            try:
                act(screen, form.cleaned_data)
            except NotPossible as error:
                return refused(request, str(error), DISPLAY.path)
            if not by_script(request):
                return SeeOther(DISPLAY.path)
            return answer_board(request, screen, read_board(screen, timezone.now()), "_board.html")

        return view

    return decorate


@_action(TouchForm)
def bump_view(screen: Screen, touch: dict[str, Any]) -> None:
    bump(
        screen,
        touch["order"],
        plu=touch["plu"] or None,
        to=touch["to"] or READY,
        version=touch["version"],
    )


@_action(TouchForm)
def recall_view(screen: Screen, touch: dict[str, Any]) -> None:
    take_back(screen, touch["order"], plu=touch["plu"] or None)


@_action(UndoForm)
def undo(screen: Screen, touch: dict[str, Any]) -> None:
    """Take back what this screen bumped last."""
    within = None if touch["any"] else UNDO_WITHIN
    last = last_bumped(screen, timezone.now(), within)
    if last is None or (touch["order"] and touch["order"] != last.order_id):
        raise NotPossible(_("There is nothing to take back."))
    take_back(screen, last.order_id, plu=last.plu or None)


@_action(TouchForm)
def acknowledge_view(screen: Screen, touch: dict[str, Any]) -> None:
    # Again changes nothing: two cooks may see it at once.
    acknowledge(
        screen,
        touch["order"],
        touch["plu"] or None,
        version=touch["version"],
        amendments_only=touch["what"] == "amended",
    )


@require_POST
@for_screen(DISPLAY)
def seen(request: HttpRequest, screen: Screen) -> HttpResponse:
    """The page reports which orders it shows: `orders`, repeated."""
    record_sightings(screen, request.POST.getlist("orders"))
    return HttpResponse(status=204)


@require_POST
@for_screen(DISPLAY)
@transaction.atomic
def settings_view(request: HttpRequest, screen: Screen) -> HttpResponse:
    form = SettingsForm(request.POST, instance=screen)
    if not form.is_valid():
        return refused(request, " ".join(_form_errors(form)), DISPLAY.path, 400)
    form.instance.save(update_fields=list(SettingsForm.Meta.fields))
    hints.publish_on_commit(screen.kitchen_id, hints.SCREENS)
    return HttpResponse(status=204) if by_script(request) else SeeOther(DISPLAY.path)


@require_POST
@for_screen(DISPLAY)
def pace_view(request: HttpRequest, screen: Screen) -> HttpResponse:
    """Pause the kitchen or make it busy: its channels are notified, and all its walls show it."""
    form = PaceForm(request.POST)
    if not form.is_valid():
        return refused(request, " ".join(_form_errors(form)), DISPLAY.path, 400)
    set_pace(screen.kitchen, **form.cleaned_data, actor=screen.actor)
    return HttpResponse(status=204) if by_script(request) else SeeOther(DISPLAY.path)


def _form_errors(form: forms.ModelForm) -> list[str]:
    return [
        f"{form.fields[name].label}: {error}" if name in form.fields else str(error)
        for name, errors in form.errors.items()
        for error in errors
    ]
