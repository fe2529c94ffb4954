"""Secrets and signatures of webhooks (https://www.standardwebhooks.com).

A secret is derived, never stored: HMAC-SHA-256 of the endpoint's id and a random nonce, with a key that is derived from
SECRET_KEY. A copy of the database reveals no secret. The price: a new SECRET_KEY changes all secrets.
"""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.utils.crypto import salted_hmac
from standardwebhooks.webhooks import Webhook

PREFIX: Final = "whsec_"
# After a rotation both secrets sign for so long.
ROTATION: Final = timedelta(hours=24)
_SALT: Final = "integrations.webhooks.secret"


def new_nonce() -> str:
    return secrets.token_hex(16)


def secret_of(endpoint_id: str, nonce: str) -> str:
    """The secret as receivers configure it: whsec_ and 32 bytes in Base64."""
    key = salted_hmac(_SALT, f"{endpoint_id}:{nonce}", algorithm="sha256").digest()
    return PREFIX + base64.b64encode(key).decode()


def signed_headers(id: str, body: bytes, plain_secrets: Iterable[str], now: datetime) -> dict[str, str]:
    """The three headers of a message, with a signature by each secret, the newest first."""
    text = body.decode()
    signatures = [Webhook(secret).sign(msg_id=id, timestamp=now, data=text) for secret in plain_secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
