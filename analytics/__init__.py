"""Figures about orders: nothing yet."""
