"""Limits of one request, in bytes and seconds."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
# The API's limit is part of its contract. Forms of the admin may list many orders; a login is short.
API_BODY_BYTES: Final = MIB
_BODY_BYTES: Final = (
    ("/admin/login", 16 * KIB),
    ("/admin/", MIB),
    ("/api/", API_BODY_BYTES),
)
OTHER_BODY_BYTES: Final = 64 * KIB

# From the head of a request to the last byte of its body.
BODY_SECONDS: Final = 10.0
# A body that comes more slowly than this after a while is refused earlier.
SLOWEST_BYTES_A_SECOND: Final = 1000
RATE_COUNTS_AFTER_SECONDS: Final = 3.0
# Bodies that one process receives at a time, and the memory of all that it holds. One more ends the oldest if that has
# taken STALLED_SECONDS: most bodies come with their heads, so only stalled ones are that old.
MOST_BODIES: Final = 1024
STALLED_SECONDS: Final = 0.1
MOST_HELD_BYTES: Final = 64 * MIB
# So much of a refused body is still read, so that its sender reads the answer.
DRAINED_BYTES: Final = 8 * MIB

# A request that waited longer for a thread is answered 503: its sender tries again or has gone.
WAIT_SECONDS: Final = 5.0
MOST_WAITING: Final = 500

# How long a hanging database may hold up an answer: less than the 10 s promised to clients.
HANGING_SECONDS: Final = 4.0
PING_SECONDS: Final = 2.0


def body_limit(path: str) -> int:
    """The largest body of a request for `path`, in bytes."""
    for prefix, limit in _BODY_BYTES:
        if path.startswith(prefix):
            return limit
    return OTHER_BODY_BYTES
