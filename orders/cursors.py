"""How a place in a list goes to a client and comes back: as text that stands in an address without quoting."""

import base64


def packed(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def unpacked(text: str) -> str:
    """Raises ValueError for what `packed` can't have given."""
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    return base64.b64decode(padded, b"-_", validate=True).decode()
