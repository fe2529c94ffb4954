"""URLs of screens. Each board has a path of its own, to which its cookie is bound."""

from django.urls import path
from django.views.generic import RedirectView

from kitchen_display.views import actions, boards, pairing

app_name = "display"
urlpatterns = [
    path("display", RedirectView.as_view(url="/display/")),
    path("display/", boards.display, name="display"),
    path("display/board", boards.board_partial, name="board"),
    path("display/paper", boards.paper, name="paper"),
    path("display/recalls", boards.recalls, name="recalls"),
    path("display/worker.js", boards.worker, name="worker"),
    path("display/bump", actions.bump_view, name="bump"),
    path("display/recall", actions.recall_view, name="recall"),
    path("display/undo", actions.undo, name="undo"),
    path("display/acknowledge", actions.acknowledge_view, name="acknowledge"),
    path("display/seen", actions.seen, name="seen"),
    path("display/settings", actions.settings_view, name="settings"),
    path("display/pace", actions.pace_view, name="pace"),
    path("display/pair", pairing.display_pair, name="pair"),
    path("display/pair/status", pairing.display_status, name="pair_status"),
    path("display/pair/<str:token>", pairing.open_link, name="link"),
    path("pickup", RedirectView.as_view(url="/pickup/")),
    path("pickup/", boards.pickup, name="pickup"),
    path("pickup/board", boards.pickup_partial, name="pickup_board"),
    path("pickup/pair", pairing.pickup_pair, name="pickup_pair"),
    path("pickup/pair/status", pairing.pickup_status, name="pickup_pair_status"),
]
