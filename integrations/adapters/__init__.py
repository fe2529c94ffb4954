"""Adapters of channels: their bodies as ours, and back. No module in here uses the database or a request (ADR 18)."""
