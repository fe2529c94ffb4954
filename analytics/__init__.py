"""Figures about orders, kept up to date from the change feed."""
