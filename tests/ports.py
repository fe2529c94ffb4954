"""Free ports for servers under test."""

import random
import socket

# Below those that systems give to outgoing connections (Linux from 32768, others from 49152): a server that starts
# late, or again, still finds its port free.
FIRST, LAST = 10_000, 32_000
_random = random.SystemRandom()


def free_port(following: int = 0) -> int:
    """A port that is free now, with that many free ones after it."""
    while True:
        port = _random.randint(FIRST, LAST - following)
        if all(_is_free(port + n) for n in range(following + 1)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections of an earlier one that are still closing don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
