"""Secrets of channel links: stored encrypted, used to check and to sign bodies (HMAC-SHA256 of the raw bytes, hex).

They are encrypted with a key derived from HUUVA_SECRET_KEY: a copy of the database reveals none. With a new
HUUVA_SECRET_KEY they can't be decrypted any more and must be entered again.
"""

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from structlog import get_logger

log = get_logger(__name__)
MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 200
# Bodies of unknown links are checked with this, so that they are refused as slowly as those of known ones.
_NO_SECRET: Final = b"no link has this secret"


def new_secret() -> str:
    """For a channel that lets us choose it; 256 random bits."""
    return secrets.token_urlsafe(32)


def encrypt_secret(secret: str) -> bytes:
    return _fernet(settings.SECRET_KEY).encrypt(secret.encode())


def decrypt_secret(encrypted: bytes | memoryview) -> str | None:
    """None where it was encrypted with another key: the link's bodies can't be checked until it is entered again."""
    try:
        return _fernet(settings.SECRET_KEY).decrypt(bytes(encrypted)).decode()
    except InvalidToken:
        log.error("channel_secret_unreadable")
        return None


@lru_cache(maxsize=4)
def _fernet(key: str) -> Fernet:
    digest = hashlib.sha256(b"huuva channel secrets\n" + key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def sign(secret: str, raw: bytes) -> str:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def is_signed(secret: str | None, raw: bytes, signature: str) -> bool:
    """Whether a body carries the right signature, in constant time. Without a secret: False, after the same work."""
    expected = hmac.new(_NO_SECRET if secret is None else secret.encode(), raw, hashlib.sha256).digest()
    try:
        received = bytes.fromhex(signature.strip().removeprefix("sha256="))
    except ValueError:
        received = b""
    return hmac.compare_digest(expected, received) and secret is not None
