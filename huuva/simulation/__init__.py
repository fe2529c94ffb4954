"""A dinner rush through the real HTTP API: what `make demo` and `manage.py simulate` play."""
