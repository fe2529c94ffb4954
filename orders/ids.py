"""Ids that the application makes for orders that come without one."""

import os
import time
import uuid


def new_order_id() -> str:
    """A UUIDv7 (RFC 9562 §5.7): it grows with time, so new orders lie side by side in the index."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (
        (milliseconds & (1 << 48) - 1) << 80
        | 7 << 76
        | (random >> 64 & 0xFFF) << 64
        | 2 << 62
        | random & (1 << 62) - 1
    )
    return str(uuid.UUID(int=value))
