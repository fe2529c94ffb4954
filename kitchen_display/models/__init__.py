from kitchen_display.models.screens import PairingRequest, Screen
from kitchen_display.models.stations import Station, StationRule
from kitchen_display.models.wall import Alarm, AmendmentAlarm, Sighting, TicketNumber

__all__ = [
    "Alarm",
    "AmendmentAlarm",
    "PairingRequest",
    "Screen",
    "Sighting",
    "Station",
    "StationRule",
    "TicketNumber",
]
