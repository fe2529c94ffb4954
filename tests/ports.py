"""Free ports for servers under test."""

import socket


def free_port(following: int = 0) -> int:
    """A port that is free now, with that many free ones after it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port + following < 65536 and all(_is_free(port + n) for n in range(1, following + 1)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
