"""Secrets that channels give us, and with which we check and sign: encrypted under the server's key.

A copy of the database opens none of them. With a new HUUVA_SECRET_KEY they can't be read any more and are entered anew.
"""

import base64
import hashlib
import secrets
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from structlog import get_logger

log = get_logger(__name__)
SHORTEST: Final = 8
LONGEST: Final = 200


def new_secret() -> str:
    """For a channel that lets us choose it; 256 random bits."""
    return secrets.token_urlsafe(32)


def seal_secret(secret: str) -> bytes:
    return _fernet(settings.SECRET_KEY).encrypt(secret.encode())


def open_secret(sealed: bytes | memoryview) -> str | None:
    """None where it was sealed under another key: who it belongs to can't be believed until it is entered anew."""
    try:
        return _fernet(settings.SECRET_KEY).decrypt(bytes(sealed)).decode()
    except InvalidToken:
        log.error("channel_secret_unreadable")
        return None


@lru_cache(maxsize=4)
def _fernet(key: str) -> Fernet:
    digest = hashlib.sha256(b"huuva channel secrets\n" + key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
