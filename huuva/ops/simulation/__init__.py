"""Simulated kitchens: a dinner rush through the real HTTP API (`make demo`, `manage.py simulate`), or days of the past
straight into the database (`manage.py simulate --days`)."""
