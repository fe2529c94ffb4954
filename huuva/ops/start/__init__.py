"""`make run` and `make demo`: everything is started, watched, and ended together."""
