"""How a place in a list goes to a client and comes back: as text that stands in an address without quoting.

What clients get is encrypted: a place may name the last order of another kitchen, and says how much goes on there.
AES-SIV (RFC 5297) is deterministic, so the same place is always the same text, in every process; what was not encrypted
here is refused. With a new HUUVA_SECRET_KEY all cursors are refused.
"""

import base64
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.utils.crypto import salted_hmac

# Places are filled up to a multiple of so many bytes: else a cursor would tell how long another kitchen's ids are.
_BLOCK: Final = 32
_SALT: Final = "orders.cursors"


def packed(place: str) -> str:
    """As it is stored: readable by whoever reads the database."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def unpacked(text: str) -> str:
    """Raises ValueError for what `packed` can't have given."""
    return _bytes(text).decode()


def encrypted(place: str, *, of: str) -> str:
    """As a client gets it; `of` names the list, because a place in one is none in another. No NUL in `place`."""
    plain = place.encode()
    plain += bytes(-len(plain) % _BLOCK)
    sealed = _cipher(settings.SECRET_KEY).encrypt(plain, [of.encode()])
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def decrypted(text: str, *, of: str) -> str:
    """Raises ValueError for what `encrypted` has not given."""
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
