"""Cursors: a place in a list as text for clients, safe in a URL.

Cursors are encrypted, because a place may name an order of another kitchen and shows how busy it is. AES-SIV (RFC 5297)
is deterministic: the same place is the same text in every process. Anything not encrypted here is refused, and so are
all cursors once HUUVA_SECRET_KEY changes.
"""

import base64
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.utils.crypto import salted_hmac

# Places are padded to a multiple of so many bytes, so that a cursor doesn't show how long another kitchen's ids are.
_BLOCK: Final = 32
_SALT: Final = "orders.cursors"


def packed(place: str) -> str:
    """For our own database: encoded, not encrypted."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def unpacked(text: str) -> str:
    """Raises ValueError for anything but the result of `packed`."""
    return _bytes(text).decode()


def encrypted(place: str, *, of: str) -> str:
    """For clients. `of` names the list: a cursor of one is refused by another. No NUL in `place`."""
    plain = place.encode()
    plain += bytes(-len(plain) % _BLOCK)
    sealed = _cipher(settings.SECRET_KEY).encrypt(plain, [of.encode()])
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def decrypted(text: str, *, of: str) -> str:
    """Raises ValueError for anything but the result of `encrypted`."""
    try:
        plain = _cipher(settings.SECRET_KEY).decrypt(_bytes(text), [of.encode()])
    except InvalidTag:
        raise ValueError("This was not encrypted here.") from None
    return plain.rstrip(b"\0").decode()


def _bytes(text: str) -> bytes:
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    return base64.b64decode(padded, b"-_", validate=True)


@lru_cache(maxsize=4)
def _cipher(secret_key: str) -> AESSIV:
    return AESSIV(salted_hmac(_SALT, "", secret=secret_key, algorithm="sha256").digest())
