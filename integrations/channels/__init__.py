"""Delivery channels that speak in their own words: one adapter each, one intake for all (ADR 18)."""
