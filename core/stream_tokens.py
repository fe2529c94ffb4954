"""Tokens that open an event stream: made by web with the page, checked by live without a database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from functools import cache
from typing import Final

# A stream ends with its token. Each answer with a board brings a fresh one, at least twice a minute, and the page opens
# the next stream before this one ends (RENEW_MS in static/kitchen_display/js/stream.js). Live is told when a pairing
# ends; this bounds how long a browser that has lost its screen may listen where the message was lost with Valkey.
LIFETIME_SECONDS: Final = 300
# Below /live, so that a proxy can put web and live on one origin.
STREAMS_PATH: Final = "/live/streams"
# Longer than any that we make: what comes from outside is not even decoded beyond this.
LONGEST: Final = 1024


class BadToken(ValueError):
    """The token opens nothing: `code` is token_missing, token_invalid or token_expired."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: to hear the hints of one kitchen, until a moment (seconds since 1970), or until the pairing
    has ended for which it was made."""

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
    """A token for one pairing of a screen; letters, digits, `-`, `_` and one dot, so it needs no quoting."""
    expires_at = int(time.time() if now is None else now) + lifetime_seconds
    payload = json.dumps(
        {"k": kitchen, "s": str(screen), "e": expires_at, "p": pairing}, separators=(",", ":")
    )
    body = _encode(payload.encode())
    return f"{body}.{_encode(_signature(secret_key, body))}"


def read_token(secret_key: str, token: str, *, now: float | None = None) -> Grant:
    """What the token allows. Raises BadToken."""
    if not token:
        raise BadToken("token_missing", "A stream needs the parameter `token` of the page that opens it.")
    body, _, signature = token.partition(".")
    plain = len(token) <= LONGEST and token.isascii()
    if not plain or not hmac.compare_digest(_encode(_signature(secret_key, body)), signature):
        raise BadToken("token_invalid", "This token was not made here: load the page again.")
    # The signature is ours, so the payload is in our form.
    payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    grant = Grant(payload["k"], payload["s"], payload["e"], payload["p"])
    if grant.expires_at <= (time.time() if now is None else now):
        raise BadToken("token_expired", "This token is too old: load the page again.")
    return grant


def stream_url(live_url: str, token: str) -> str:
    """Where a browser opens the stream; `live_url` is HUUVA_LIVE_URL, one origin with web or another."""
    return f"{live_url.rstrip('/')}{STREAMS_PATH}?token={token}"


@cache
def _signing_key(secret_key: str) -> bytes:
    # A key of its own: a signature made for something else is worth nothing here.
    return hmac.digest(secret_key.encode(), b"huuva.live.stream-token.2", hashlib.sha256)


def _signature(secret_key: str, body: str) -> bytes:
    return hmac.digest(_signing_key(secret_key), body.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
