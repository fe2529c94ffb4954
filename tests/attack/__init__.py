"""Attacks from outside: strangers who stall, drip, flood and idle, while orders must be taken as if nobody were there.

`fixtures.py` prepares a whole stack of this run's own, `__main__.py` runs the attacks one after the other, each in a process
of its own (`attackers.py`), while `good.py` posts orders, polls the probes and holds walls. `verdict.py` says what must
hold. `make attack` runs all of it, tests/attack/test_attack.py a short form. Nothing but that stack, on loopback, is
ever attacked, and every loop ends by count or by time.
"""
