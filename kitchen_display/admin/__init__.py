"""The managers' pages for stations and screens."""

from kitchen_display.admin.screens import ScreenAdmin
from kitchen_display.admin.stations import StationAdmin

__all__ = ["ScreenAdmin", "StationAdmin"]
