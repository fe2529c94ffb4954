"""Stations, screens, the live board and the pickup board."""
