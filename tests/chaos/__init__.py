"""Faults: the whole stack under a dinner rush, its processes killed in turn; then the data must be consistent.

`ledger.py` says what a client may conclude from each answer, `faults.py` what is done to the stack, `consistency.py` what must
hold afterwards. `make chaos` runs all of it, tests/chaos/test_chaos.py a short form.
"""
