"""Benchmarks of the HTTP API: `python -m bench` or `make bench`."""
