"""Webhooks: endpoints of integrators, and what they are sent (Standard Webhooks)."""
