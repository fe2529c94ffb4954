"""Ids that the application makes for orders that come without one."""

import os
import time
import uuid
from datetime import datetime


def new_order_id(at: datetime | None = None) -> str:
    """A UUIDv7 (RFC 9562 §5.7): it grows with time, so new orders lie side by side in the index.

    `at`: of an order of the past, when it came.
    """
    milliseconds = time.time_ns() // 1_000_000 if at is None else int(at.timestamp() * 1000)
    random = int.from_bytes(os.urandom(10))
    value = (
        (milliseconds & (1 << 48) - 1) << 80
        | 7 << 76
        | (random >> 64 & 0xFFF) << 64
        | 2 << 62
        | random & (1 << 62) - 1
    )
    return str(uuid.UUID(int=value))
