"""Tokens that open an event stream: web makes them with the page, live checks them without a database."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

# A stream ends with its token. Each answer with a board brings a fresh token, at least twice a minute, and the page
# opens the next stream before this one ends (RENEW_MS in static/kitchen_display/js/stream.js). Live gets a message when
# a pairing ends; if Valkey lost that, this is how long a browser without a screen can go on listening.
LIFETIME_SECONDS: Final = 300
# Below /live, so that a proxy can put web and live on one origin.
STREAMS_PATH: Final = "/live/streams"
# Longer than any that we make; what is longer is not even looked at.
LONGEST: Final = 1024


class BadToken(ValueError):
    """`code` is token_missing, token_invalid or token_expired."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: to get the hints of one kitchen, until `expires_at` (seconds since 1970) or the end of its
    pairing."""

    kitchen: str
    screen: str
    expires_at: int
    pairing: str = ""


def make_token(
    secret_key: str,
    kitchen: str,
    screen: object,
    *,
    pairing: str = "",
    now: float | None = None,
    lifetime_seconds: int = LIFETIME_SECONDS,
) -> str:
    """A token for one pairing of a screen: letters, digits, `-`, `_` and dots, so it needs no quoting in a URL."""
    expires_at = int(time.time() if now is None else now) + lifetime_seconds
    return str(_serializer(secret_key).dumps([kitchen, str(screen), expires_at, pairing]))


def read_token(secret_key: str, token: str, *, now: float | None = None) -> Grant:
    """What the token allows. Raises BadToken."""
    if not token:
        raise BadToken("token_missing", "A stream needs the parameter `token` of the page that opens it.")
    try:
        if len(token) > LONGEST or not token.isascii():
            raise BadData("not a token")
        grant = Grant(*_serializer(secret_key).loads(token))
    except BadData:
        raise BadToken("token_invalid", "This token was not made here: load the page again.") from None
    if grant.expires_at <= (time.time() if now is None else now):
        raise BadToken("token_expired", "This token is too old: load the page again.")
    return grant


def stream_url(live_url: str, token: str) -> str:
    """Where a browser opens the stream; `live_url` is HUUVA_LIVE_URL, one origin with web or another."""
    return f"{live_url.rstrip('/')}{STREAMS_PATH}?token={token}"


def _serializer(secret_key: str) -> URLSafeSerializer:
    # The salt gives a key of its own, so that a signature made for something else is worth nothing here. 48 bytes are
    # 64 letters of base64 without a spare bit, so that each signature can be written in one way only.
    return URLSafeSerializer(
        secret_key,
        salt="huuva.live.stream-token.3",
        signer_kwargs={"digest_method": hashlib.sha384, "key_derivation": "hmac"},
    )
