"""Simulated kitchens: a dinner rush through the HTTP API (`make demo`, `manage.py simulate`), or days of the past
written straight to the database (`manage.py simulate --days`)."""
