"""What one request may take, in bytes and seconds."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
# The API's limit stands in the contract; forms of the admin may list many orders; a login is two words.
API_BODY_BYTES: Final = MIB
_BODY_BYTES: Final = (
    ("/admin/login", 16 * KIB),
    ("/admin/", MIB),
    ("/api/", API_BODY_BYTES),
)
OTHER_BODY_BYTES: Final = 64 * KIB

# From the head of a request to the last byte of its body.
BODY_SECONDS: Final = 10.0
# Slower ones are ended earlier: after a while a body has come at this rate at least.
SLOWEST_BYTES_A_SECOND: Final = 1000
RATE_COUNTS_AFTER_SECONDS: Final = 3.0
# Bodies on their way into one process, and the memory of all that is held. One more ends the oldest, if that has been
# on its way for a moment: most bodies come with their heads, so only those who stall are that old.
MOST_BODIES: Final = 1024
STALLED_SECONDS: Final = 0.1
MOST_HELD_BYTES: Final = 64 * MIB
# A body that is refused is read on for so long, so that its sender gets to the answer.
DRAINED_BYTES: Final = 8 * MIB

# A request that waited longer for a thread is a 503, not work: its sender tries again or has gone.
WAIT_SECONDS: Final = 5.0
MOST_WAITING: Final = 500

# Answers that a database which hangs may hold up: less than the 10 s that a client is promised.
HANGING_SECONDS: Final = 4.0
PING_SECONDS: Final = 2.0


def body_limit(path: str) -> int:
    """How many bytes the body of a request for `path` may have."""
    for prefix, limit in _BODY_BYTES:
        if path.startswith(prefix):
            return limit
    return OTHER_BODY_BYTES
